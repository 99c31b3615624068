"""The hub: handlers, adapters, jobs and the thinking between them."""
