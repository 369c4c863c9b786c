//! The records and enums that cross, each the twin of a core type.

/// An enum with the same variants as a core enum, and the conversions between them.
macro_rules! twin {
    ($(#[$doc:meta])* $name:ident = $core:ty { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value { $(<$core>::$variant => Self::$variant,)* }
            }
        }

        impl From<$name> for $core {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)* }
            }
        }
    };
}

mod account;
mod camera;
mod conditions;
mod content;
mod edits;
mod item;
mod open;
mod search;
mod status;

pub use account::*;
pub use camera::*;
pub use conditions::*;
pub use content::*;
pub use edits::*;
pub use item::*;
pub use open::*;
pub use search::*;
pub use status::*;

/// Turns a list of core values into records.
pub(crate) fn into_records<C, R: From<C>>(values: Vec<C>) -> Vec<R> {
    values.into_iter().map(R::from).collect()
}
