"""What every baseline must keep."""
