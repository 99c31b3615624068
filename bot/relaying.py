"""The relay at work: what one of two people writes in their thread reaches the other."""
