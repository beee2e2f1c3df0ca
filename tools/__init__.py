"""What the project makes of itself: the site and its reference pages. Nothing here is installed."""
