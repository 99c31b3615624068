"""How two people who agreed to meet begin to talk: one conversation, or a relay."""
