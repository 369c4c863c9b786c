//! A sign-in through the browser.

use crate::call::{guarded, on_runtime};
use crate::{AccountInfo, CancelToken, LommeError};
use std::sync::{Arc, Mutex, PoisonError};

/// A browser sign-in under way: show `warning`, open `url`, then wait with `finish`.
#[derive(uniffi::Object)]
pub struct BrowserSignIn(Mutex<Option<lomme::account::BrowserSignIn>>);

impl BrowserSignIn {
    pub(crate) fn new(started: lomme::account::BrowserSignIn) -> Self {
        Self(Mutex::new(Some(started)))
    }

    fn take(&self) -> Option<lomme::account::BrowserSignIn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&lomme::account::BrowserSignIn) -> T,
    ) -> Result<T, LommeError> {
        guarded(|| {
            let started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            started.as_ref().map(read).ok_or_else(over)
        })
    }
}

fn over() -> lomme::Error {
    lomme::Error::InvalidArgument {
        detail: "this sign-in is over".into(),
    }
}

#[uniffi::export]
impl BrowserSignIn {
    /// The page to open in a browser.
    pub fn url(&self) -> Result<String, LommeError> {
        self.read(|started| started.url().to_owned())
    }

    /// What the person should know before, in English: the service lets only one such login live, so others
    /// (the desktop program's too) are signed out in time.
    pub fn warning(&self) -> Result<String, LommeError> {
        self.read(|started| started.warning().to_owned())
    }

    /// Waits until the browser has come back. Works once; a cancelled one is over.
    pub async fn finish(&self, cancel: Arc<CancelToken>) -> Result<AccountInfo, LommeError> {
        let started = self.take();
        on_runtime(&cancel, |token| async move {
            let started = started.ok_or_else(over)?;
            Ok(started.finish(&token).await?.into())
        })
        .await
    }

    /// Ends it without an account. Doing it twice, or after `finish`, is fine.
    pub fn abandon(&self) -> Result<(), LommeError> {
        guarded(|| {
            let _ended = self.take();
            Ok(())
        })
    }
}
