//! The time formats of the service.
