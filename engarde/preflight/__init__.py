"""What has to hold before `pulumi up` touches anything."""
