"""Sets new passwords for logins, one at a time and each delivered before the next, or sets the state's again."""
