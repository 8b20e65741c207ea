/* Loaded before libc into the processes of a fault run: shifts the wall clock of one of them, or slows its disk.
 *
 * What to do stands in a small file named after the process in the folder FAULT_SHIM names (api, kafka, postgres, redis or a
 * flow's name): two 64-bit integers, the clock's offset in ns and the extra time of each fsync in us, and a third one in which the
 * fsyncs that were held up are counted. The file is mapped, so the harness changes both while the process runs. Only CLOCK_REALTIME is shifted; waits go by CLOCK_MONOTONIC. Without the
 * file nothing is changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

struct orders {
    int64_t clock_offset_ns;
    int64_t fsync_delay_us;
    int64_t held_up;
};

static volatile struct orders *orders = 0;

static const char *part_of(char *arguments, long length) {
    char *end = arguments + length;
    char *name = strrchr(arguments, '/');
    name = name ? name + 1 : arguments;
    if (strcmp(name, "postgres") == 0) return "postgres";
    if (strcmp(name, "redis-server") == 0 || strcmp(name, "valkey-server") == 0) return "redis";
    for (char *word = arguments; word < end; word += strlen(word) + 1) {
        if (strcmp(word, "kafka.Kafka") == 0) return "kafka";
        if (strcmp(word, "serve") == 0) return "api";
        if (strcmp(word, "flow") == 0 && word + 5 < end) return word + 5;
    }
    return 0;
}

__attribute__((constructor)) static void find_orders(void) {
    static char arguments[65536];
    char path[4096];
    const char *folder = getenv("FAULT_SHIM");
    int file = folder ? open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    long length = read(file, arguments, sizeof arguments - 1);
    close(file);
    const char *part = length > 0 ? part_of(arguments, length) : 0;
    if (!part || strchr(part, '/')) return;
    snprintf(path, sizeof path, "%s/%s", folder, part);
    file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(0, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) orders = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *) = 0;
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, at);
    if (result == 0 && orders && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ns = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + orders->clock_offset_ns;
        at->tv_sec = ns / 1000000000;
        at->tv_nsec = ns % 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

/* Waits until an instant of the wall clock: the caller reckons with the shifted one, the kernel with the true one. */
static struct timespec true_instant(const struct timespec *until) {
    /* An instant before 2001 is one of the monotonic clock. */
    if (!orders || orders->clock_offset_ns == 0 || until->tv_sec < 1000000000) return *until;
    int64_t ns = (int64_t)until->tv_sec * 1000000000 + until->tv_nsec - orders->clock_offset_ns;
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) = 0;
    if (!real) real = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) real = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec instant = true_instant(until);
    return real(condition, mutex, &instant);
}

/* The Kafka client's waits. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *) = 0;
    if (!real) real = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    struct timespec instant = true_instant(until);
    return real(condition, mutex, &instant);
}

static void hold_up(void) {
    int64_t left = orders ? orders->fsync_delay_us : 0;
    if (left > 0) {
        struct timespec pause = {left / 1000000, left % 1000000 * 1000};
        nanosleep(&pause, 0);
        __atomic_add_fetch(&orders->held_up, 1, __ATOMIC_RELAXED);
    }
}

int fsync(int file) {
    hold_up();
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    hold_up();
    return (int)syscall(SYS_fdatasync, file);
}
