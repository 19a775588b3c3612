//! What each type of ephemeral resources says of itself.

use std::time::SystemTime;

use formwork_contract::{Block, Value};
use rusqlite::Connection;

use crate::fault::Fault;
use crate::resource::Problems;

/// A type of ephemeral resources: something that the cloud gives for a while.
pub(crate) trait EphemeralResource: Send + Sync {
    fn type_name(&self) -> &'static str;

    fn block(&self) -> Block;

    /// Checks a configuration, in which values may be unknown, without asking the cloud.
    fn check(&self, _config: &Value, _problems: &mut Problems) {}

    /// Gives one: `config` with what the cloud set.
    fn open(&self, connection: &Connection, environment: &str, config: &Value) -> Result<Opened, Fault>;

    /// Lets it stand for another term; answers when it has to be renewed again.
    fn renew(&self, connection: &Connection, id: &str) -> Result<SystemTime, Fault>;

    /// Takes it back. One that expired already stays expired.
    fn close(&self, connection: &Connection, id: &str) -> Result<(), Fault>;
}

/// What was given.
pub(crate) struct Opened {
    pub id: String,
    pub value: Value,
    pub renew_at: SystemTime,
}
