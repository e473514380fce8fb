"""New passwords for logins, one at a time, each in force and delivered before the next; and the state's put back."""
