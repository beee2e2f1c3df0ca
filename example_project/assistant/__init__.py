"""A parcel company's support assistant, as small programs in place of models: no server, no key."""
