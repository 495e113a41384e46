//! The settings of this process.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::config::{Setting, SettingOrigin};
use crate::http::extract::Superadmin;

/// Source of a setting's value.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Origin)]
pub(super) enum OriginView {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File,
    /// An environment variable.
    Environment,
    /// A flag of the command.
    Flag,
}

impl From<SettingOrigin> for OriginView {
    fn from(origin: SettingOrigin) -> Self {
        match origin {
            SettingOrigin::Default => Self::Default,
            SettingOrigin::File => Self::File,
            SettingOrigin::Environment => Self::Environment,
            SettingOrigin::Flag => Self::Flag,
        }
    }
}

/// A setting.
#[derive(Serialize, ToSchema)]
#[schema(as = Setting)]
pub(super) struct SettingView {
    /// Its section and name, as in `server.port`.
    key: String,
    /// The environment variable that sets it.
    variable: Option<String>,
    /// Effect of the setting; empty where the name says it.
    description: String,
    /// Its value as it would stand in the file; `null` for a secret that is set.
    value: Option<String>,
    /// Its default as it would stand in the file.
    default: String,
    /// Source of the value.
    origin: OriginView,
}

impl From<Setting> for SettingView {
    fn from(setting: Setting) -> Self {
        Self {
            key: setting.key,
            variable: setting.variable,
            description: setting.description,
            value: setting.value,
            default: setting.default,
            origin: setting.origin.into(),
        }
    }
}

/// All settings.
#[derive(Serialize, ToSchema)]
pub(super) struct SettingList {
    /// In the order of the example file.
    items: Vec<SettingView>,
}

/// Every setting with its value and where that comes from. Secrets are not told.
#[utoipa::path(
    get,
    path = "/api/v1/admin/settings",
    tag = "operation",
    responses((status = 200, body = SettingList)),
)]
pub(super) async fn settings(State(app): State<App>, _: Superadmin) -> Json<SettingList> {
    let settings = app.config.settings.iter().cloned();
    Json(SettingList {
        items: settings.map(SettingView::from).collect(),
    })
}
