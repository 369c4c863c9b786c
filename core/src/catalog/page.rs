//! One page of a folder, by keyset on an index: however large the folder, a page costs what it holds.

use super::row::{self, COLUMNS, Life, Seen};
use super::token::{After, Bound};
use super::{Item, Order};
use crate::{Error, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

/// What files are sorted by, ascending; unknown comes last.
pub(super) fn number(order: Order, item: &Item) -> i64 {
    let number = match order {
        Order::Name => None,
        Order::Newest => item.modified_ms,
        Order::Largest => item.size.and_then(|size| i64::try_from(size).ok()),
    };
    number.map_or(i64::MAX, i64::wrapping_neg)
}

/// Up to `limit` rows after `after`: folders by name, then files in the order wanted.
pub(super) fn rows(
    db: &Connection,
    life: &Life,
    bound: &Bound,
    after: Option<After>,
    limit: usize,
) -> Result<Vec<Seen>> {
    let mut found = Vec::new();
    if after.as_ref().is_none_or(|after| !after.file) {
        by_fold(
            db,
            life,
            bound.parent,
            false,
            after.as_ref(),
            limit,
            &mut found,
        )?;
    }
    let after = after.filter(|after| after.file);
    let left = limit - found.len();
    if left > 0 {
        match bound.order {
            Order::Name => {
                by_fold(
                    db,
                    life,
                    bound.parent,
                    true,
                    after.as_ref(),
                    left,
                    &mut found,
                )?;
            }
            Order::Newest => {
                let sorted = "ifnull(-i.modified_ms, 9223372036854775807)";
                by_number(
                    db,
                    life,
                    bound.parent,
                    sorted,
                    after.as_ref(),
                    left,
                    &mut found,
                )?;
            }
            Order::Largest => {
                let sorted = "ifnull(-i.size, 9223372036854775807)";
                by_number(
                    db,
                    life,
                    bound.parent,
                    sorted,
                    after.as_ref(),
                    left,
                    &mut found,
                )?;
            }
        }
    }
    Ok(found)
}

fn by_fold(
    db: &Connection,
    life: &Life,
    parent: i64,
    files: bool,
    after: Option<&After>,
    limit: usize,
    found: &mut Vec<Seen>,
) -> Result<()> {
    let mut values: Vec<Value> = vec![parent.into(), limit_value(limit)];
    let mut from = String::new();
    if let Some(after) = after {
        let fold = match &after.fold {
            Some(fold) => fold.clone(),
            None => fold_of(db, after.key)?,
        };
        from = "AND (i.fold, i.key) > (?3, ?4)".into();
        values.push(fold.into());
        values.push(after.key.into());
    }
    let files = u8::from(files);
    select(
        db,
        life,
        &format!("AND (i.kind = 3) = {files} {from} ORDER BY i.fold, i.key"),
        values,
        found,
    )
}

fn by_number(
    db: &Connection,
    life: &Life,
    parent: i64,
    sorted: &str,
    after: Option<&After>,
    limit: usize,
    found: &mut Vec<Seen>,
) -> Result<()> {
    let mut values: Vec<Value> = vec![parent.into(), limit_value(limit)];
    let mut from = String::new();
    if let Some(after) = after {
        from = format!("AND ({sorted}, i.key) > (?3, ?4)");
        values.push(after.number.into());
        values.push(after.key.into());
    }
    select(
        db,
        life,
        &format!("AND (i.kind = 3) = 1 AND i.kind = 3 {from} ORDER BY {sorted}, i.key"),
        values,
        found,
    )
}

fn limit_value(limit: usize) -> Value {
    Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX))
}

fn select(
    db: &Connection,
    life: &Life,
    condition: &str,
    values: Vec<Value>,
    found: &mut Vec<Seen>,
) -> Result<()> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM item i CROSS JOIN item p ON p.key = ?1
         WHERE i.parent = ?1 AND i.key <> ?1 {condition} LIMIT ?2"
    ))?;
    let rows = statement.query_map(params_from_iter(values), |row| row::seen(row, life))?;
    for row in rows {
        found.push(row?);
    }
    Ok(())
}

/// For a name that did not fit into the token.
fn fold_of(db: &Connection, key: i64) -> Result<String> {
    db.prepare_cached("SELECT fold FROM item WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?
        .ok_or(Error::PageExpired)
}
