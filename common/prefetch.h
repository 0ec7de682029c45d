/* A hint to the processor: this memory will be read soon. Changes nothing but speed. */
#ifndef PW_PREFETCH_H
#define PW_PREFETCH_H

static inline void pw_prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address);
    __asm__ volatile(""); /* else gcc takes a function that only fetches for one that does nothing */
#else
    (void)address;
#endif
}

#endif
