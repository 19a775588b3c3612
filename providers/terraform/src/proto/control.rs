//! What a plugin prints to its standard streams, as its host is told.

use prost::bytes::Bytes;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub(crate) enum StandardStream {
    Invalid = 0,
    Output = 1,
    Error = 2,
}

/// A piece of output; it need not end with a line.
#[derive(Clone, PartialEq, ::prost::Message)]
pub(crate) struct Printed {
    #[prost(enumeration = "StandardStream", tag = "1")]
    pub(crate) stream: i32,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) data: Bytes,
}
