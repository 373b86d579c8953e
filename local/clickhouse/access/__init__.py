"""What a user may ask: authentication, limits, and the guard of the read-only user."""
