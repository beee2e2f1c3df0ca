"""A parcel company's support assistant, as small programs that stand in for models: they need no server and no key."""
