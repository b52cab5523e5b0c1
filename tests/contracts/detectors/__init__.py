"""Rules that every detector keeps."""
