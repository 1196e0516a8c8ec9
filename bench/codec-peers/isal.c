/* Intel ISA-L on the cases of cases.ts. Usage: isal DATA LABEL.
 * DATA holds the bytes of the data fragments. Prints lines of: contender, code, operation, fragment bytes, best and median GB/s.
 * Codes are over GF(256) with coefficients of the same shape as ours (dense rows, and rows of ones); every rebuild is checked.
 * With -DISAL_CURRENT (a recent source tree, linked statically) tables for the AVX2 path are made by ec_init_tables_base. */
#include <erasure_code.h>
#include <raid.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS_MAX = 16, TIMES_MAX = 400, TABLE_BYTES = 32 * COLUMNS_MAX * COLUMNS_MAX };
typedef void (*encode_fn)(int, int, int, unsigned char *, unsigned char **, unsigned char **);
typedef void (*table_fn)(int, int, unsigned char *, unsigned char *);

struct code { const char *name; int k, m, lost_count, lost[4]; };
static const struct code CODES[] = {
    {"rs-6-3", 6, 3, 3, {0, 2, 5}},
    {"lrc-12-2-2", 12, 4, 4, {0, 1, 6, 7}},
    {"xor-2-1", 2, 1, 1, {0}},
};
struct path { const char *name; encode_fn encode; table_fn tables; };

static unsigned char *column[COLUMNS_MAX], *rebuilt[COLUMNS_MAX], generator[COLUMNS_MAX * COLUMNS_MAX];
static unsigned char table[TABLE_BYTES];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct job { const struct path *path; int length, inputs, outputs; unsigned char **from, **to; };
static void run(const struct job *j) {
    if (j->path->encode) {
        j->path->encode(j->length, j->inputs, j->outputs, table, j->from, j->to);
    } else {
        void *all[COLUMNS_MAX + 1];
        memcpy(all, j->from, j->inputs * sizeof *all);
        all[j->inputs] = j->to[0];
        xor_gen(j->inputs + 1, j->length, all);
    }
}
static void report(const char *label, const struct job *j, const char *code, const char *operation) {
    double bytes = (double)j->length * j->inputs, times[TIMES_MAX];
    int inner = (int)(8e6 / bytes) + 1, count = 0;
    for (double start = now(); now() - start < 0.05;) run(j);
    for (double start = now(); count < TIMES_MAX && (count < 15 || now() - start < 0.2);) {
        double from = now();
        for (int i = 0; i < inner; i++) run(j);
        times[count++] = (now() - from) / inner;
    }
    qsort(times, count, sizeof *times, ascending);
    printf("%s %s\t%s\t%s\t%d\t%.3f\t%.3f\n", label, j->path->name, code, operation, j->length, bytes / times[0] / 1e9,
           bytes / times[count / 2] / 1e9);
    fflush(stdout);
}

/* Parity rows: ones (per local group for the LRC), then a and a squared. */
static void make_generator(const struct code *c) {
    memset(generator, 0, sizeof generator);
    int local = c->m == 4 ? 2 : 1;
    for (int j = 0; j < c->k; j++) {
        unsigned char a = local == 1 ? j + 1 : j < 6 ? j + 1 : (j - 5) << 3;
        generator[(local == 2 && j >= 6 ? 1 : 0) * c->k + j] = 1;
        for (int row = local; row < c->m; row++) generator[row * c->k + j] = row == local ? a : gf_mul(a, a);
    }
}

/* Rows that give the lost data columns from the other data columns and lost_count parity columns. */
static void make_decoder(const struct code *c, int *from, unsigned char *rows) {
    unsigned char matrix[COLUMNS_MAX * COLUMNS_MAX] = {0}, inverse[COLUMNS_MAX * COLUMNS_MAX];
    int used = 0;
    for (int j = 0; j < c->k; j++) {
        int lost = 0;
        for (int l = 0; l < c->lost_count; l++) lost |= c->lost[l] == j;
        if (lost) continue;
        matrix[used * c->k + j] = 1;
        from[used++] = j;
    }
    for (int row = 0; row < c->lost_count; row++) {
        memcpy(matrix + used * c->k, generator + row * c->k, c->k);
        from[used++] = c->k + row;
    }
    if (gf_invert_matrix(matrix, inverse, c->k)) exit(2);
    for (int l = 0; l < c->lost_count; l++) memcpy(rows + l * c->k, inverse + c->lost[l] * c->k, c->k);
}

static void check(const unsigned char *a, const unsigned char *b, int length) {
    if (memcmp(a, b, length)) {
        fprintf(stderr, "a rebuilt column differs\n");
        exit(3);
    }
}

static void measure(const char *label, const struct path *p, const struct code *c, int length) {
    unsigned char rows[COLUMNS_MAX * COLUMNS_MAX], *from[COLUMNS_MAX];
    int sources[COLUMNS_MAX];
    make_generator(c);
    if (p->encode) {
        p->tables(c->k, c->m, generator, table);
        report(label, &(struct job){p, length, c->k, c->m, column, column + c->k}, c->name, "encode");
    } else if (c->m == 1) {
        report(label, &(struct job){p, length, c->k, 1, column, column + c->k}, c->name, "encode");
    }
    /* One lost column: the others of its group and the group's plain sum. */
    int group = c->k < 6 ? c->k : 6;
    for (int i = 1; i < group; i++) from[i - 1] = column[i];
    from[group - 1] = column[c->k];
    memset(rows, 1, group);
    if (p->encode) p->tables(group, 1, rows, table);
    report(label, &(struct job){p, length, group, 1, from, rebuilt}, c->name, "lose-1");
    check(rebuilt[0], column[0], length);
    if (!p->encode || c->lost_count == 1) return;
    make_decoder(c, sources, rows);
    for (int i = 0; i < c->k; i++) from[i] = column[sources[i]];
    p->tables(c->k, c->lost_count, rows, table);
    report(label, &(struct job){p, length, c->k, c->lost_count, from, rebuilt}, c->name, "worst");
    for (int l = 0; l < c->lost_count; l++) check(rebuilt[l], column[c->lost[l]], length);
}

int main(int argc, char **argv) {
    FILE *data = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!data) return 1;
#ifdef ISAL_CURRENT
    table_fn base = ec_init_tables_base;
#else
    table_fn base = ec_init_tables;
#endif
    const struct path paths[] = {
        {"dispatch", ec_encode_data, ec_init_tables}, {"AVX2", ec_encode_data_avx2, base}, {"xor_gen", NULL, NULL}};
    const int lengths[] = {1 << 20, 64 << 10};
    for (int i = 0; i < COLUMNS_MAX; i++) {
        column[i] = aligned_alloc(64, 1 << 20);
        rebuilt[i] = aligned_alloc(64, 1 << 20);
        memset(column[i], 0, 1 << 20);
        memset(rebuilt[i], 0, 1 << 20);
    }
    for (int c = 0; c < 3; c++) {
        for (int f = 0; f < 2; f++) {
            rewind(data);
            for (int i = 0; i < CODES[c].k; i++)
                if (fread(column[i], lengths[f], 1, data) != 1) return 1;
            for (int p = 0; p < 3; p++) measure(argv[2], &paths[p], &CODES[c], lengths[f]);
        }
    }
    return 0;
}
