"""What the serving benchmark measures beside each other."""
