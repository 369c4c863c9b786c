//! Sessions and their tokens, in `auth.db` of the cloud's directory.
//!
//! A session is one sign-in, the family of its refresh tokens. Only hashes of tokens are kept. A
//! session that has ended refreshes no more; its access tokens live on to their own end unless they
//! are revoked too, as a service that checks access tokens without asking the sign-in server does.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS secret (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS login_token (hash BLOB PRIMARY KEY, realm TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, realm TEXT NOT NULL, client TEXT NOT NULL, scope TEXT NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS refresh_token (hash BLOB PRIMARY KEY, session TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS access_token (hash BLOB PRIMARY KEY, session TEXT NOT NULL, expires_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS code (
    hash BLOB PRIMARY KEY, realm TEXT NOT NULL, client TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL, challenge TEXT, method TEXT, expires_ms INTEGER NOT NULL, session TEXT);
";

/// One sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub realm: String,
    pub client: String,
    pub scope: String,
}

/// An authorization code's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeTerms {
    pub realm: String,
    pub client: String,
    pub redirect_uri: String,
    pub scope: String,
    /// The PKCE challenge and its method, when one was sent.
    pub challenge: Option<(String, String)>,
}

/// What became of a presented refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Good until now; it is used up and the session lives.
    Good(Session),
    /// Used before: the session has ended by this.
    Reused(Session),
    /// Its session had ended already.
    Ended,
    /// Belongs to another client or realm. Nothing changed.
    OtherClient,
    /// Never issued.
    Unknown,
}

/// What became of a presented code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedCode {
    /// Good until now; it is used up.
    Good(CodeTerms),
    /// Unknown, too old or used before; a session that came of it has ended.
    Bad,
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// `bytes` random bytes in hex.
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    if let Err(error) = getrandom::fill(&mut buffer) {
        // Without randomness every token could be guessed.
        panic!("the system gives no random bytes: {error}");
    }
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// The table of sessions.
#[derive(Debug)]
pub struct Sessions {
    db: Mutex<Connection>,
    secret: [u8; 32],
}

type Sql<T> = Result<T, rusqlite::Error>;

impl Sessions {
    /// Opens or makes `auth.db` in `directory`.
    pub fn open(directory: &Path) -> Sql<Self> {
        let db = Connection::open(directory.join("auth.db"))?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.execute_batch(SCHEMA)?;
        let mut fresh = [0; 32];
        if getrandom::fill(&mut fresh).is_err() {
            return Err(rusqlite::Error::InvalidQuery);
        }
        db.execute("INSERT OR IGNORE INTO secret VALUES (1, ?1)", [&fresh[..]])?;
        let secret = db.query_row("SELECT value FROM secret", [], |row| row.get(0))?;
        Ok(Self {
            db: Mutex::new(db),
            secret,
        })
    }

    /// What tokens are signed with.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new login token.
    pub fn add_login_token(&self, realm: &str, token: &str) -> Sql<()> {
        let sql = "INSERT INTO login_token (hash, realm) VALUES (?1, ?2)";
        self.db().execute(sql, params![hash(token), realm])?;
        Ok(())
    }

    /// Uses a login token up; false when it is unknown or was used before.
    pub fn use_login_token(&self, realm: &str, token: &str) -> Sql<bool> {
        let sql = "UPDATE login_token SET used = 1 WHERE hash = ?1 AND realm = ?2 AND used = 0";
        Ok(self.db().execute(sql, params![hash(token), realm])? == 1)
    }

    /// Begins a session. With `alone`, earlier live ones of the same client and realm end.
    pub fn begin(&self, realm: &str, client: &str, scope: &str, alone: bool) -> Sql<Session> {
        let session = Session {
            id: random_hex(16),
            realm: realm.into(),
            client: client.into(),
            scope: scope.into(),
        };
        let mut db = self.db();
        let step = db.transaction()?;
        if alone {
            let sql = "UPDATE session SET ended = 1 WHERE realm = ?1 AND client = ?2";
            step.execute(sql, [realm, client])?;
        }
        let sql = "INSERT INTO session (id, realm, client, scope) VALUES (?1, ?2, ?3, ?4)";
        step.execute(sql, [session.id.as_str(), realm, client, scope])?;
        step.commit()?;
        Ok(session)
    }

    /// Keeps a session's new pair of tokens.
    pub fn add_pair(&self, session: &str, access: &str, refresh: &str, expires_ms: i64) -> Sql<()> {
        let mut db = self.db();
        let step = db.transaction()?;
        step.execute(
            "DELETE FROM access_token WHERE expires_ms < ?1",
            [now_ms() - 86_400_000],
        )?;
        let sql = "INSERT INTO access_token VALUES (?1, ?2, ?3)";
        step.execute(sql, params![hash(access), session, expires_ms])?;
        let sql = "INSERT INTO refresh_token (hash, session) VALUES (?1, ?2)";
        step.execute(sql, params![hash(refresh), session])?;
        step.commit()
    }

    /// The session of a live access token.
    pub fn by_access(&self, token: &str) -> Sql<Option<Session>> {
        let sql = "SELECT s.id, s.realm, s.client, s.scope FROM access_token a
            JOIN session s ON s.id = a.session WHERE a.hash = ?1 AND a.expires_ms > ?2";
        let db = self.db();
        let mut query = db.prepare_cached(sql)?;
        query
            .query_row(params![hash(token), now_ms()], session_of)
            .optional()
    }

    /// Presents a refresh token. `reuse_kills_access` says whether reuse ends access tokens too.
    pub fn present(
        &self,
        realm: &str,
        client: &str,
        token: &str,
        reuse_kills_access: bool,
    ) -> Sql<Presented> {
        let mut db = self.db();
        let step = db.transaction()?;
        let sql = "SELECT s.id, s.realm, s.client, s.scope, s.ended, r.used FROM refresh_token r
            JOIN session s ON s.id = r.session WHERE r.hash = ?1";
        let found = step
            .query_row(sql, params![hash(token)], |row| {
                Ok((
                    session_of(row)?,
                    row.get::<_, bool>(4)?,
                    row.get::<_, bool>(5)?,
                ))
            })
            .optional()?;
        let Some((session, ended, used)) = found else {
            return Ok(Presented::Unknown);
        };
        if session.realm != realm || session.client != client {
            return Ok(Presented::OtherClient);
        }
        if ended {
            return Ok(Presented::Ended);
        }
        if used {
            end(&step, &session.id, reuse_kills_access)?;
            step.commit()?;
            return Ok(Presented::Reused(session));
        }
        step.execute(
            "UPDATE refresh_token SET used = 1 WHERE hash = ?1",
            params![hash(token)],
        )?;
        step.commit()?;
        Ok(Presented::Good(session))
    }

    /// Ends the session that a refresh token belongs to; false when it is unknown.
    pub fn end_by_refresh(&self, token: &str) -> Sql<bool> {
        let mut db = self.db();
        let step = db.transaction()?;
        let sql = "SELECT session FROM refresh_token WHERE hash = ?1";
        let session: Option<String> = step
            .query_row(sql, params![hash(token)], |row| row.get(0))
            .optional()?;
        if let Some(session) = &session {
            end(&step, session, true)?;
        }
        step.commit()?;
        Ok(session.is_some())
    }

    /// Ends one access token.
    pub fn end_access(&self, token: &str) -> Sql<()> {
        self.db().execute(
            "DELETE FROM access_token WHERE hash = ?1",
            params![hash(token)],
        )?;
        Ok(())
    }

    /// Lets every access token expire now; sessions live.
    pub fn expire_access(&self) -> Sql<()> {
        self.db().execute("DELETE FROM access_token", [])?;
        Ok(())
    }

    /// Ends every session with its access tokens.
    pub fn end_all(&self) -> Sql<()> {
        self.db().execute_batch(
            "BEGIN IMMEDIATE; UPDATE session SET ended = 1; DELETE FROM access_token; COMMIT;",
        )
    }

    /// How many sessions are live.
    pub fn live(&self) -> Sql<i64> {
        let sql = "SELECT count(*) FROM session WHERE ended = 0";
        self.db().query_row(sql, [], |row| row.get(0))
    }

    /// Keeps a new code, which lives a minute.
    pub fn add_code(&self, code: &str, terms: &CodeTerms) -> Sql<()> {
        let (challenge, method) = terms.challenge.clone().unzip();
        let sql = "INSERT INTO code (hash, realm, client, redirect_uri, scope, challenge, method, expires_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.db().execute(
            sql,
            params![
                hash(code),
                terms.realm,
                terms.client,
                terms.redirect_uri,
                terms.scope,
                challenge,
                method,
                now_ms() + 60_000
            ],
        )?;
        Ok(())
    }

    /// Presents a code, which works once. A second use ends the session that came of the first.
    pub fn present_code(&self, code: &str) -> Sql<PresentedCode> {
        let mut db = self.db();
        let step = db.transaction()?;
        let sql =
            "SELECT realm, client, redirect_uri, scope, challenge, method, expires_ms, session
            FROM code WHERE hash = ?1";
        let found = step
            .query_row(sql, params![hash(code)], |row| {
                let challenge: Option<String> = row.get(4)?;
                let method: Option<String> = row.get(5)?;
                let terms = CodeTerms {
                    realm: row.get(0)?,
                    client: row.get(1)?,
                    redirect_uri: row.get(2)?,
                    scope: row.get(3)?,
                    challenge: challenge.zip(method),
                };
                Ok((
                    terms,
                    row.get::<_, i64>(6)?,
                    row.get::<_, Option<String>>(7)?,
                ))
            })
            .optional()?;
        let Some((terms, expires_ms, used_by)) = found else {
            return Ok(PresentedCode::Bad);
        };
        if let Some(session) = used_by {
            end(&step, &session, true)?;
            step.commit()?;
            return Ok(PresentedCode::Bad);
        }
        let sql = "UPDATE code SET session = '' WHERE hash = ?1";
        step.execute(sql, params![hash(code)])?;
        step.commit()?;
        if expires_ms <= now_ms() {
            return Ok(PresentedCode::Bad);
        }
        Ok(PresentedCode::Good(terms))
    }

    /// Notes which session came of a code.
    pub fn code_became(&self, code: &str, session: &str) -> Sql<()> {
        let sql = "UPDATE code SET session = ?2 WHERE hash = ?1";
        self.db().execute(sql, params![hash(code), session])?;
        Ok(())
    }
}

fn session_of(row: &rusqlite::Row<'_>) -> Sql<Session> {
    Ok(Session {
        id: row.get(0)?,
        realm: row.get(1)?,
        client: row.get(2)?,
        scope: row.get(3)?,
    })
}

fn end(db: &Connection, session: &str, with_access: bool) -> Sql<()> {
    db.execute("UPDATE session SET ended = 1 WHERE id = ?1", [session])?;
    if with_access {
        db.execute("DELETE FROM access_token WHERE session = ?1", [session])?;
    }
    Ok(())
}
