/** The names the UI uses for the server's own types; everything here is generated from its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

/**
 * Every field that is answered has a name and a type, although a request may leave them out to be told so.
 * Defaults and options are any JSON, which the document can only call an object.
 */
export type FieldDefinition = Omit<Schemas['FieldDefinition'], 'name' | 'type' | 'default' | 'options'> & {
  name: string;
  type: string;
  default?: unknown;
  options?: unknown;
  index?: boolean;
};

export type AccountList = Schemas['AccountList'];
export type Collection = Omit<Schemas['Collection'], 'schema'> & { schema: FieldDefinition[] };
export type CollectionExport = Schemas['CollectionExport'];
export type CollectionInput = Omit<Schemas['CollectionInput'], 'fields' | 'schema'> & { fields?: FieldDefinition[] };
export type CollectionList = Schemas['CollectionList'];
export type CollectionNames = Schemas['CollectionNames'];
export type CollectionListItem = Schemas['CollectionListItem'];
export type Health = Schemas['Health'];
export type ImportResult = Schemas['ImportResult'];
export type ImportStrategy = Schemas['Strategy'];
export type LoginRequest = Schemas['LoginRequest'];
export type LoginResponse = Schemas['LoginResponse'];
export type RuleProblem = Schemas['RuleProblem'];
export type Rules = Schemas['Rules'];
export type RulesPatch = Schemas['RulesPatch'];
export type SetupRequest = Schemas['SetupRequest'];
export type SetupStatus = Schemas['SetupStatus'];
export type TestRuleResponse = Schemas['TestRuleResponse'];
export type UserDetail = Schemas['UserDetail'];
export type UserList = Schemas['UserList'];
export type ValidateRuleResponse = Schemas['ValidateRuleResponse'];

/** A record's shape depends on its collection, so only the values' JSON nature is known here. */
export type RecordRow = Record<string, unknown> & { id: string };
export type RecordPage = Omit<Schemas['RecordPage'], 'items'> & { items: RecordRow[] };
