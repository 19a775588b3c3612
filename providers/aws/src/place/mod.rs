//! Where the provider stands: what follows from its region without a call.

mod partition;
mod region;

use crate::resource::DataSource;

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(region::Region), Box::new(partition::Partition)]
}
