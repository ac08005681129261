"""Scripts that look for inputs on which the readers fail."""
