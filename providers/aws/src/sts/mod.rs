//! STS: who calls.

mod caller_identity;

use crate::resource::DataSource;

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(caller_identity::CallerIdentity)]
}
