/** The names the UI uses for the server's own types; everything here is generated from its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type AccountList = Schemas['AccountList'];
export type Collection = Schemas['Collection'];
export type CollectionList = Schemas['CollectionList'];
export type CollectionListItem = Schemas['CollectionListItem'];
export type CollectionInput = Schemas['CollectionInput'];
export type FieldDefinition = Schemas['FieldDefinition'];
export type Health = Schemas['Health'];
export type LoginRequest = Schemas['LoginRequest'];
export type LoginResponse = Schemas['LoginResponse'];
export type Rules = Schemas['Rules'];
export type RulesPatch = Schemas['RulesPatch'];
export type SetupRequest = Schemas['SetupRequest'];
export type SetupStatus = Schemas['SetupStatus'];
export type TestRuleResponse = Schemas['TestRuleResponse'];
export type ValidateRuleResponse = Schemas['ValidateRuleResponse'];

/** A record's shape depends on its collection, so only the values' JSON nature is known here. */
export type RecordRow = Record<string, unknown> & { id: string };
export interface RecordPage {
  items: RecordRow[];
  total: number;
  skip: number;
  limit: number;
}
