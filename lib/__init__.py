"""What the programs share; knows nothing of them."""
