//! API keys, roles, groups, invitations, sessions and the dashboard.

mod api_keys;
mod groups;
mod invitations;
mod roles;
