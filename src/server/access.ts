/**
 * What the HTTP listener needs of `auth/`: who may do what, and what answers say of it.
 *
 * Invariant: nothing is decided here; the files behind it do (compat reference, 10.1).
 */
export { type Authorizer, openAuthorizer } from "./auth/authorizer.ts";
export { type Admission, authorize, challengeHeaders } from "./auth/http.ts";
