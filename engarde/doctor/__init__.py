"""Explains an error: what it means, its possible causes, which of them applies, and the one fix."""

from engarde.doctor.diagnosis import Diagnosis as Diagnosis
from engarde.doctor.diagnosis import diagnose as diagnose
