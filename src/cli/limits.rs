//! What the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes as many open files as may be had: each configuration of a plugin takes a handful.
pub(super) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where the system refuses, the usual number has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
