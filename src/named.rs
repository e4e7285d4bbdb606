//! Choices that have a name: each is declared once, with its name and its meaning.

/// Declares an enum whose variants have names: `ALL` lists them, `name` gives one's own.
macro_rules! named {
    (
        $(#[doc = $of_enum:literal])+
        pub enum $kind:ident { $($(#[doc = $meaning:literal])+ $choice:ident = $name:literal,)+ }
    ) => {
        $(#[doc = $of_enum])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[doc = $meaning])+ $choice,)+
        }

        impl $kind {
            /// Every choice with its name.
            ///
            /// ```
            #[doc = concat!("use clipprep::", stringify!($kind), ";")]
            ///
            #[doc = concat!("let (name, choice) = ", stringify!($kind), "::ALL[0];")]
            /// assert_eq!(choice.name(), name);
            /// ```
            pub const ALL: [(&'static str, Self); [$($name),+].len()] = [$(($name, Self::$choice)),+];

            /// The name of the choice.
            ///
            /// ```
            #[doc = concat!("let names = clipprep::", stringify!($kind), "::ALL.map(|(_, choice)| choice.name());")]
            /// assert!(names.iter().all(|name| !name.is_empty()));
            /// ```
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$choice => $name,)+
                }
            }
        }

        #[cfg(feature = "python")]
        impl $crate::named::Named for $kind {
            fn all() -> Vec<(&'static str, &'static str, Self)> {
                let meanings = [$(concat!($($meaning),+)),+];
                let choices = Self::ALL.into_iter().zip(meanings);
                choices.map(|((name, choice), meaning)| (name, meaning, choice)).collect()
            }

            fn name(self) -> &'static str {
                self.name()
            }
        }
    };
}
pub(crate) use named;

/// A choice as the binding sees it.
#[cfg(feature = "python")]
pub(crate) trait Named: Copy + PartialEq + 'static {
    /// The name and the meaning of every choice.
    fn all() -> Vec<(&'static str, &'static str, Self)>;

    /// The name of the choice.
    fn name(self) -> &'static str;
}
