/** The names the UI uses for the server's own types; everything here is generated from its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type FieldDefinition = Schemas['FieldDefinition'];

export type AccountList = Schemas['AccountList'];
export type Collection = Schemas['Collection'];
export type CollectionExport = Schemas['CollectionExport'];
export type CollectionInput = Schemas['CollectionInput'];
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

/** A record's shape depends on its collection, so only the system fields are known here. */
export type RecordRow = Schemas['Record'];
export type RecordPage = Schemas['RecordPage'];

export type Account = Schemas['AccountView'];
export type AccountDetail = Schemas['AccountDetail'];
export type AccountCreate = Schemas['AccountCreate'];
export type ApiKey = Schemas['ApiKeyView'];
export type ApiKeyCreate = Schemas['ApiKeyCreate'];
export type ApiKeyList = Schemas['ApiKeyList'];
export type DefinitionProblems = Schemas['DefinitionProblems'];
export type Figures = Schemas['Figures'];
export type KeyScope = Schemas['KeyScope'];
export type Minute = Schemas['MinuteView'];
export type Macro = Schemas['Macro'];
export type MacroInput = Schemas['MacroInput'];
export type MacroResult = Schemas['MacroResult'];
export type MacroTest = Omit<Schemas['MacroTest'], 'parameters'> & { parameters: (string | number | boolean | null)[] };
export type RequestEntry = Schemas['RequestView'];
export type RequestList = Schemas['RequestList'];
export type Setting = Schemas['Setting'];
export type SettingList = Schemas['SettingList'];
export type User = Schemas['UserView'];
export type UserCreate = Schemas['UserCreate'];
export type UserUpdate = Schemas['UserUpdate'];
export type Group = Schemas['GroupView'];
export type GroupCreate = Schemas['GroupCreate'];
export type GroupDetail = Schemas['GroupDetail'];
export type GroupPage = Schemas['GroupPage'];
export type GroupUpdate = Schemas['GroupUpdate'];
export type Invitation = Schemas['InvitationView'];
export type InvitationCreate = Schemas['InvitationCreate'];
export type InvitationList = Schemas['InvitationList'];
export type InvitationResent = Schemas['InvitationResent'];
export type Role = Schemas['RoleView'];
export type RoleCreate = Schemas['RoleCreate'];
export type RoleList = Schemas['RoleList'];
export type RoleUpdate = Schemas['RoleUpdate'];
export type Session = Schemas['SessionView'];
export type SessionList = Schemas['SessionList'];
export type AuditPage = Schemas['AuditPage'];
export type AuditRow = Schemas['AuditRow'];
export type Verified = Schemas['Verified'];
export type ConnectionList = Schemas['ConnectionList'];
export type ConnectionView = Schemas['ConnectionView'];
export type SubscriptionView = Schemas['SubscriptionView'];
export type Ticket = Schemas['Ticket'];
export type TicketRequest = Schemas['TicketRequest'];
export type DashboardStats = Schemas['DashboardStats'];
export type DashboardRange = Schemas['Range'];
