"""What is measured and compared; each script prints, and nothing here is a test."""
