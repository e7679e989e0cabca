//! Users: the people behind agents.

use super::call::Platform;
use super::error::PlatformError;
use serde::Deserialize;

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    name: Option<String>,
}

impl Platform {
    /// The display name of a user, if it has one.
    pub(crate) async fn user_name(&self, id: &str) -> Result<Option<String>, PlatformError> {
        let path = format!("/api/v2/users/{id}");
        let user: User = self
            .get(path, &[], "look up an agent's name", "directory:user:view")
            .await?;
        Ok(user.name.filter(|name| !name.is_empty()))
    }
}
