/* SPDX-License-Identifier: MIT */
/* What values of a task's or a thread's state mean: [states], [thread-states]. */
#include "os/profile/profile.h"

#include <stdlib.h>

/* Of the type that the state has, else of any. */
static bool enumerator(const struct profile_model *pm, enum profile_key state, const char *name,
                       int64_t *out)
{
    const struct type *t = pm->access[state].type;
    size_t n = 0;
    const struct type_value *v =
        t && type_strip(t)->kind == TYPE_ENUM ? type_values(type_strip(t), &n) : NULL;

    for (size_t i = 0; i < n; i++)
        if (!strcmp(v[i].name, name)) {
            *out = v[i].value;
            return true;
        }
    return types_constant(pm->dwarf, name, out);
}

/* NAME = LETTER [running], or NAME = none */
static struct oscope_error *compile_state(struct profile_model *pm, const struct profile_entry *e,
                                          struct profile_states *states, enum profile_key key)
{
    struct profile_state *s = &states->of[states->n];
    const char *p = e->value;
    char *end;
    size_t n;

    if (states->n == PROFILE_STATES_MAX)
        return error_new(OSCOPE_E_USAGE, "more than %d states", PROFILE_STATES_MAX);
    *s = (struct profile_state){.value = strtoll(e->key, &end, 0), .line = e->line};
    if (*end && !enumerator(pm, key, e->key, &s->value))
        return error_new(OSCOPE_E_NOT_FOUND, "the kernel has no enumerator or macro of that name");
    const char *word = profile_word(&p, &n);
    if (word && n == 4 && !memcmp(word, "none", 4)) {
        s->none = true;
    } else if (word && n < sizeof s->letter) {
        memcpy(s->letter, word, n);
        word = profile_word(&p, &n);
        s->running = word && n == 7 && !memcmp(word, "running", 7);
        if (word && !s->running)
            return error_new(OSCOPE_E_USAGE, "'running' or nothing must follow the letter");
    } else {
        return error_new(OSCOPE_E_USAGE, "a letter, or 'none', is expected");
    }
    states->n++;
    return profile_word(&p, &n) ? error_new(OSCOPE_E_USAGE, "too many words") : NULL;
}

struct oscope_error *profile_compile_states(struct profile_model *pm)
{
    vec_each (struct profile_entry, e, &pm->text.entries) {
        bool thread = !strcmp(e->section, "thread-states");
        if ((!thread && strcmp(e->section, "states") != 0) || (thread && profile_no_threads(pm)))
            continue;
        if (!pm->dwarf)
            return profile_keep(
                pm, profile_at(&pm->text, e,
                               error_new(OSCOPE_E_NOT_FOUND, "%s", pm->no_dwarf->message)));
        TRY(profile_keep(pm,
                         profile_at(&pm->text, e,
                                    compile_state(pm, e, thread ? &pm->thread_states : &pm->states,
                                                  thread ? KEY_THREAD_STATE : KEY_STATE))));
    }
    return NULL;
}

const struct profile_state *profile_state_of(const struct profile_states *s, uint64_t value)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->of[i].value == (int64_t)value)
            return &s->of[i];
    return NULL;
}

const char *profile_state_text(struct profile_model *pm, enum profile_key key,
                               const struct profile_state *s, uint64_t value, struct os_list *l)
{
    const struct type *t = pm->access[key].type;
    const char *name = s ? s->letter : t ? type_enum_name(t, (int64_t)value) : NULL;

    if (name)
        return name;
    name = l ? arena_printf(&l->strings, "%lld", (long long)value) : NULL;
    return name ? name : "?";
}
