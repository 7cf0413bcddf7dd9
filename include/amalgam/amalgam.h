#ifndef AMALGAM_AMALGAM_H_
#define AMALGAM_AMALGAM_H_

/* What Amalgam's libnccl.so.2 offers beyond NCCL's names. Settings are environment variables (docs/settings.md) and can
 * be read through ncclParamGetParameter; this header is for programs that want to know which library they got. */

#ifdef __cplusplus
extern "C" {
#endif

/* Exported by no other library: dlsym(RTLD_DEFAULT, "amalgam_marker") is not null exactly when Amalgam provides NCCL.
 * Returns a fixed text with both versions. Any thread, never fails. */
__attribute__((visibility("default"))) const char* amalgam_marker(void);

#ifdef __cplusplus
}
#endif

#endif
