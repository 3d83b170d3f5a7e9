/* accounts.h — routes that log in and out, and those by which admins manage users, keys and
 * read the audit trail. All work on errands. */
#ifndef VISLANG_SERVE_ACCOUNTS_H
#define VISLANG_SERVE_ACCOUNTS_H

typedef struct vl_request vl_request;

void vl_account_token(vl_request *request);
void vl_account_refresh(vl_request *request);
void vl_account_revoke(vl_request *request);
void vl_account_users(vl_request *request);
void vl_account_user_create(vl_request *request);
void vl_account_user_change(vl_request *request);
void vl_account_user_delete(vl_request *request);
void vl_account_keys(vl_request *request);
void vl_account_key_create(vl_request *request);
void vl_account_key_revoke(vl_request *request);
void vl_account_audit(vl_request *request);

#endif
