//! KMS: keys that encrypt what other services hold.

mod alias;
mod key;
mod tags;

use std::sync::Arc;

use crate::resource::Resource;

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![Arc::new(key::Key), Arc::new(alias::Alias)]
}

/// How many keys a page holds: the most that KMS gives. Of aliases it gives a hundred.
const PAGE: i32 = 1000;
