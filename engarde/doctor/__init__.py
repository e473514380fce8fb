"""Explains an error: what it means, what may be behind it, what is, and the one fix."""

from engarde.doctor.diagnosis import Diagnosis as Diagnosis
from engarde.doctor.diagnosis import diagnose as diagnose
