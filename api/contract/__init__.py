"""What a file of sql/api says, read and checked."""
