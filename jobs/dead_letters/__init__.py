"""Shows the dead letters, and replays them."""
