//! Collections as the catalog holds them: fields, rules, field lists, and the table behind them.

pub mod catalog;
mod computed;
pub mod constraints;
pub mod ddl;
pub mod definition;
pub mod field;
pub mod file_options;
pub mod macros;
pub mod mask;
pub mod naming;
mod upgrade;

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value as Json;

pub use catalog::{Catalog, CatalogHandle, CollectionRow};
pub use computed::RETURN_TYPES;
pub use definition::{FieldDefinition, OnDelete};
pub use field::{Field, FieldType};
pub use file_options::{FileOptions, ThumbFit, ThumbSize};
pub use macros::{Library, MacroRow};
pub use mask::Mask;
pub use upgrade::upgrade_tables;

use definition::check_fields;

use crate::db::{AccountName, ColumnKind, Dialect, Fragment, Ident, Projected, Sql};
use crate::expr::{Column, Columns, Predicate, Purpose, TextFormat};
use crate::id::CollectionId;

/// Fields that every record has and that only the server writes.
pub const SYSTEM_FIELDS: [&str; 6] = [
    "id",
    "account_id",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
];

/// The keys of every document, whichever fields are asked for.
pub const ALWAYS_SHOWN: [&str; 7] = [
    "id",
    "account_id",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "account_name",
];

/// What a caller wants to do with records of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read many.
    List,
    /// Read one.
    View,
    /// Add.
    Create,
    /// Change.
    Update,
    /// Remove.
    Delete,
}

impl Operation {
    /// Every operation, in the order rules are written in.
    pub const ALL: [Self; 5] = [
        Self::List,
        Self::View,
        Self::Create,
        Self::Update,
        Self::Delete,
    ];

    /// The name in rules and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::View => "view",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The operation of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }

    /// What a rule for this operation may refer to.
    pub fn purpose(self) -> Purpose {
        Purpose::Rule {
            data: matches!(self, Self::Create | Self::Update),
        }
    }
}

/// Who may do an operation.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Superadmins only.
    Locked,
    /// Everyone, inside the account.
    Public,
    /// Whoever the expression lets in.
    When(Predicate),
}

impl Rule {
    /// The rule of a stored text: locked without one, public where it is empty. A text that does
    /// not compile locks; the reason is handed to `invalid`.
    pub fn stored<E>(
        text: Option<&str>,
        compile: impl FnOnce(&str) -> Result<Predicate, E>,
        invalid: impl FnOnce(E),
    ) -> Self {
        match text {
            None => Self::Locked,
            Some("") => Self::Public,
            Some(text) => match compile(text) {
                Ok(predicate) => Self::When(predicate),
                Err(error) => {
                    invalid(error);
                    Self::Locked
                }
            },
        }
    }
}

/// Which fields an operation reads or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldList {
    /// All of them.
    All,
    /// Only these (and, when reading, the system fields).
    Only(BTreeSet<String>),
}

impl FieldList {
    /// Reads the stored form: `*`, or a JSON array of names in a string. Anything else allows
    /// nothing.
    pub fn parse(stored: &str) -> Self {
        if stored == "*" {
            return Self::All;
        }
        Self::Only(serde_json::from_str(stored).unwrap_or_default())
    }

    /// Whether the list has this field.
    pub fn allows(&self, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(field),
        }
    }
}

/// The rules and field lists of a collection.
#[derive(Clone, Debug)]
pub struct AccessRules {
    rules: [Rule; 5],
    /// Fields in lists.
    pub list_fields: FieldList,
    /// Fields of single records.
    pub view_fields: FieldList,
    /// Fields that may be sent on create.
    pub create_fields: FieldList,
    /// Fields that may be sent on update.
    pub update_fields: FieldList,
}

impl AccessRules {
    /// The rule of an operation.
    pub fn rule(&self, operation: Operation) -> &Rule {
        &self.rules[operation as usize]
    }

    /// The expressions that decide about writes.
    pub fn write_rules(&self) -> impl Iterator<Item = &Predicate> {
        let rules = [Operation::Create, Operation::Update, Operation::Delete]
            .map(|operation| self.rule(operation));
        rules.into_iter().filter_map(|rule| match rule {
            Rule::When(predicate) => Some(predicate),
            Rule::Locked | Rule::Public => None,
        })
    }

    /// The field list of an operation; deleting has none.
    pub fn fields(&self, operation: Operation) -> &FieldList {
        match operation {
            Operation::List => &self.list_fields,
            Operation::View => &self.view_fields,
            Operation::Create => &self.create_fields,
            Operation::Update => &self.update_fields,
            Operation::Delete => &FieldList::All,
        }
    }
}

/// A collection, ready to be used: names are resolved, rules are parsed and checked.
#[derive(Debug)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Its name, as written by whoever defined it.
    pub name: String,
    /// The table that holds its records.
    pub table: Ident,
    /// Its fields, in the order of the definition.
    pub fields: Vec<Field>,
    /// Who may do what.
    pub access: AccessRules,
    /// The row it was loaded from.
    pub row: catalog::CollectionRow,
    /// Whether any field holds personal data.
    pub has_pii: bool,
    /// Whether a rule uses a stored macro.
    pub uses_macros: bool,
    /// The stored macros that its rules use, and what those read, in words that are equal if they
    /// mean the same.
    pub dependencies: String,
    by_name: HashMap<String, usize>,
    source: Fragment,
    /// The document with every field, `account_name` null, over the alias `r`.
    document: Fragment,
    /// The same without an alias.
    returning: Fragment,
}

impl Collection {
    /// A user-defined field.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|&index| &self.fields[index])
    }

    /// The fields with a full-text index, in the order of their columns' names.
    pub fn searchable(&self) -> Vec<&Field> {
        searchable(&self.fields)
    }

    /// The columns of a document that holds the system fields and the fields that `wanted` accepts.
    pub fn projection(&self, wanted: impl Fn(&str) -> bool) -> Vec<Projected<'_>> {
        let mut columns: Vec<Projected<'_>> = system_columns().collect();
        columns.extend(
            self.fields
                .iter()
                .filter(|field| wanted(&field.name))
                .map(Field::projected),
        );
        columns
    }

    /// Appends the document of a row of `alias`, with the fields that `wanted` accepts.
    pub fn write_document(
        &self,
        sql: &mut Sql,
        alias: &'static str,
        account_name: AccountName<'_>,
        wanted: impl Fn(&str) -> bool,
    ) {
        sql.document(alias, &self.projection(wanted), account_name);
    }

    /// The table as statements name it whose columns depend on the definition.
    pub fn source(&self) -> &Fragment {
        &self.source
    }

    /// The document with every field over the alias `r`, rendered once.
    pub fn full_document(&self) -> &Fragment {
        &self.document
    }

    /// The same for `RETURNING`, where columns stand without an alias.
    pub fn returning_document(&self) -> &Fragment {
        &self.returning
    }

    /// What a record of this collection stores for a reference, by field.
    pub fn references(&self) -> impl Iterator<Item = (&Field, &str)> {
        self.fields
            .iter()
            .filter_map(|field| Some((field, field.target.as_deref()?)))
    }

    /// Compiles an expression against this collection.
    pub fn compile(
        &self,
        source: &str,
        purpose: Purpose,
    ) -> Result<Predicate, Vec<crate::expr::Problem>> {
        Predicate::compile(source, self, purpose)
    }
}

impl Columns for Collection {
    fn column(&self, name: &str) -> Option<Column> {
        column_of(&self.fields, name)
    }
}

/// A definition that is not stored yet can be compiled against, too.
impl Columns for Vec<Field> {
    fn column(&self, name: &str) -> Option<Column> {
        column_of(self, name)
    }
}

/// The fields with a full-text index, in an order that does not depend on the definition's.
fn searchable(fields: &[Field]) -> Vec<&Field> {
    let mut fields: Vec<&Field> = fields.iter().filter(|field| field.searchable).collect();
    fields.sort_by(|a, b| a.column.as_str().cmp(b.column.as_str()));
    fields
}

fn column_of(fields: &[Field], name: &str) -> Option<Column> {
    if let Some(system) = system_columns().find(|system| system.key == name) {
        return Some(
            Column::stored(system.column.clone(), system.kind).with_format(system_format(name)),
        );
    }
    let field = fields.iter().find(|field| field.name == name)?;
    let computed = field.computed.clone();
    let format = if computed.is_none() {
        field.kind.format()
    } else {
        TextFormat::Plain
    };
    Some(Column {
        ident: field.column.clone(),
        kind: field.column_kind(),
        computed,
        format,
    })
}

/// As what a text next to a system field is read.
pub fn system_format(name: &str) -> TextFormat {
    if name.ends_with("_at") {
        TextFormat::Plain
    } else {
        TextFormat::Id
    }
}

fn system_columns() -> impl Iterator<Item = Projected<'static>> {
    static COLUMNS: std::sync::LazyLock<[Ident; 6]> =
        std::sync::LazyLock::new(|| SYSTEM_FIELDS.map(Ident::fixed));
    SYSTEM_FIELDS
        .into_iter()
        .zip(COLUMNS.iter())
        .map(|(key, column)| {
            let kind = if key.ends_with("_at") {
                ColumnKind::Timestamp
            } else {
                ColumnKind::Text
            };
            Projected {
                key,
                column,
                kind,
                computed: None,
            }
        })
}

/// Renders the table's name with a mark of its definition.
fn render_source(
    table: &Ident,
    row: &catalog::CollectionRow,
    dialect: Dialect,
) -> Option<Fragment> {
    let mut hasher = DefaultHasher::new();
    (&row.id, &row.schema).hash(&mut hasher);
    let mut sql = Sql::new(dialect);
    sql.ident(table).definition_mark(hasher.finish());
    sql.into_fragment()
}

/// Renders the document of every field, for statements that are used often.
fn render_document(fields: &[Field], dialect: Dialect, alias: &'static str) -> Option<Fragment> {
    let mut columns: Vec<Projected<'_>> = system_columns().collect();
    columns.extend(fields.iter().map(Field::projected));
    let mut sql = Sql::new(dialect);
    sql.document(alias, &columns, AccountName::Null);
    sql.into_fragment()
}

/// The value of a field in a request: absent, or present (maybe null).
pub type Body = serde_json::Map<String, Json>;
