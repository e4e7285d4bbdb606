//! Choices that have a name: the name of each is written once, beside it.

/// Declares an enum whose variants have names: `ALL` lists them, `name` gives one's own.
macro_rules! named {
    ($(#[$of_enum:meta])* pub enum $kind:ident { $($(#[$of_choice:meta])* $choice:ident = $name:literal,)+ }) => {
        $(#[$of_enum])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[$of_choice])* $choice,)+
        }

        impl $kind {
            /// Every choice with its name.
            pub const ALL: [(&'static str, Self); [$($name),+].len()] = [$(($name, Self::$choice)),+];

            /// The name of the choice.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$choice => $name,)+
                }
            }
        }
    };
}
pub(crate) use named;
