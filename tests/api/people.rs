//! API keys, roles, groups, invitations, sessions and the dashboard.

mod api_keys;
mod dashboard;
mod groups;
mod invitations;
mod roles;
mod sessions;
