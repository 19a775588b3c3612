//! The provider `random`: what is drawn once and then stays.
//!
//! Types and attributes have the names of Terraform's provider of that name, version 3. `id`, `string` (which makes
//! `random_password` too), `integer`, `pet` (with `words`), `shuffle`, `uuid` and `bytes` hold a type each.

mod bytes;
mod id;
mod integer;
mod pet;
mod shuffle;
mod string;
mod uuid;
mod words;

use std::sync::Arc;

use crate::clock::Clock;
use crate::life::{Kind, Recorded};

/// The provider.
pub fn provider() -> Recorded {
    let kinds: Vec<Arc<dyn Kind>> = vec![
        Arc::new(bytes::Bytes),
        Arc::new(id::Id),
        Arc::new(integer::Integer),
        Arc::new(pet::Pet),
        Arc::new(shuffle::Shuffle),
        Arc::new(string::Text::STRING),
        Arc::new(string::Text::PASSWORD),
        Arc::new(uuid::Uuid),
    ];
    Recorded::new("random", kinds, Vec::new(), Clock::system())
}
