"""The hub: command handlers, platform adapters, scheduled jobs and the domain logic they share."""
