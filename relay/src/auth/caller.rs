//! Who calls, and what they may do.

use mien_shared::api::{Session, SourceName};
use mien_shared::{Role, SessionId};

use super::stamp::Stamp;

/// The user of requests without a token in open mode.
pub const LOCAL_USER: &str = "local";

/// What a capability token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub session: SessionId,
    pub role: Role,
    pub source: SourceName,
}

/// Who sent a request or opened a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: String,
    /// `None` for a user, who may do everything with their own sessions.
    pub grant: Option<Grant>,
}

/// A caller and the token that proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub caller: Caller,
    /// `None` without a token, in open mode.
    pub stamp: Option<Stamp>,
}

/// What a caller may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("a token of one session cannot do this")]
    SessionToken,
    #[error("the token is for another session")]
    OtherSession,
    #[error("the token's role does not allow this")]
    Role,
    #[error("the session is another user's")]
    OtherUser,
}

/// What a call needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Read samples and what follows from them: the owner, or `watch`.
    Read,
    /// Change, complete, erase, give tokens: the owner.
    Own,
}

impl Caller {
    /// The user of open mode.
    pub fn local() -> Self {
        Self { user: LOCAL_USER.to_owned(), grant: None }
    }

    /// A user who holds no capability token, so may create and list sessions.
    pub fn as_user(&self) -> Result<&str, Forbidden> {
        match self.grant {
            None => Ok(&self.user),
            Some(_) => Err(Forbidden::SessionToken),
        }
    }

    /// Refuses a capability token of another session or of too small a role, before anything is looked up.
    pub fn check_grant(&self, session: SessionId, need: Need) -> Result<(), Forbidden> {
        let Some(grant) = &self.grant else { return Ok(()) };
        if grant.session != session {
            return Err(Forbidden::OtherSession);
        }
        let allowed = match need {
            Need::Read => matches!(grant.role, Role::Owner | Role::Watch),
            Need::Own => grant.role == Role::Owner,
        };
        if allowed { Ok(()) } else { Err(Forbidden::Role) }
    }

    /// Whether this caller may do what they ask with this session.
    pub fn authorize(&self, session: &Session, need: Need) -> Result<(), Forbidden> {
        self.check_grant(session.id, need)?;
        if self.grant.is_none() && self.user != session.user_id {
            return Err(Forbidden::OtherUser);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionId {
        SessionId(uuid::Uuid::now_v7())
    }

    #[test]
    fn a_capability_reaches_no_further_than_it_says() {
        let id = session();
        let caller = |role| Caller {
            user: "alice".to_owned(),
            grant: Some(Grant { session: id, role, source: SourceName::default() }),
        };
        assert!(caller(Role::Owner).check_grant(id, Need::Own).is_ok());
        assert!(caller(Role::Watch).check_grant(id, Need::Read).is_ok());
        assert!(caller(Role::Watch).check_grant(id, Need::Own).is_err());
        assert!(caller(Role::Ingest).check_grant(id, Need::Read).is_err());
        assert!(caller(Role::Owner).check_grant(session(), Need::Read).is_err());
        assert!(caller(Role::Owner).as_user().is_err());
    }
}
