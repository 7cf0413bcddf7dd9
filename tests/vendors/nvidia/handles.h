#pragma once

// Handles that the program holds, of all kinds: a call on one that is not live ends the process.

namespace face {

void add_handle(const void* handle);
void check_handle(const char* call, const void* handle);
void drop_handle(const char* call, const void* handle);  // checks it first

}  // namespace face
