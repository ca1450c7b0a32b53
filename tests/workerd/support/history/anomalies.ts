/** Hermitage's anomalies. T1 begins first and is the oldest: younger ones wait for it, or give way where they hold what it needs. */

export const ANOMALIES = {
  "G0, a cycle of writes": `
    T1 write 1 11
    T2 write 1 12                waits for T1
    T2 write 2 22                waits for T1
    T1 write 2 21
    T1 commit
    T2 commit`,

  "G1a, an aborted read": `
    T1 write 1 101
    T2 read 1                    waits for T1
    T1 abort
    T2 read 1
    T2 commit`,

  "G1b, an intermediate read": `
    T1 write 1 101
    T2 read 1                    waits for T1
    T1 write 1 11
    T1 commit
    T2 read 1
    T2 commit`,

  "G1c, a circle of information": `
    T1 write 1 11
    T2 write 2 22
    T1 read 2                    T2 begins again
    T2 read 1                    waits for T1
    T1 commit
    T2 commit`,

  "OTV, an observed transaction that vanishes": `
    T1 write 1 11
    T1 write 2 19
    T2 write 1 12                waits for T1
    T1 commit
    T3 read 1                    waits for T2
    T3 read 2                    waits for T2
    T2 write 2 18
    T2 commit
    T3 read 2
    T3 read 1
    T3 commit`,

  "PMP, a predicate that many precede": `
    T1 select value = 30
    T2 insert 3 30               waits for T1
    T2 commit                    waits for T1
    T1 select value % 3 = 0
    T1 commit`,

  "PMP of a predicate that writes": `
    T1 increase 1 10
    T2 delete value = 20         waits for T1
    T1 increase 2 10
    T1 commit
    T2 commit`,

  "P4, a lost update": `
    T1 read 1
    T2 read 1
    T1 write 1 11                T2 begins again
    T2 write 1 12                waits for T1
    T1 commit
    T2 commit`,

  "P4, a lost update where the younger writes first": `
    T1 read 1
    T2 read 1
    T2 write 1 12                waits for T1
    T1 write 1 11                T2 begins again
    T1 commit
    T2 commit`,

  "G-single, read skew": `
    T1 read 1
    T2 read 1
    T2 read 2
    T2 write 1 12                waits for T1
    T2 write 2 18                waits for T1
    T2 commit                    waits for T1
    T1 read 2
    T1 commit`,

  "G-single, read skew by predicates": `
    T1 select value % 5 = 0
    T2 write 1 12                waits for T1
    T2 commit                    waits for T1
    T1 select value % 3 = 0
    T1 commit`,

  "G-single, read skew of a predicate that writes": `
    T1 read 1
    T2 read 1
    T2 read 2
    T2 write 1 12                waits for T1
    T2 write 2 18                waits for T1
    T2 commit                    waits for T1
    T1 delete value = 20         T2 begins again
    T1 commit`,

  "G-single, read skew of a predicate that writes and is undone": `
    T1 read 1
    T2 read 1
    T2 read 2
    T2 write 1 12                waits for T1
    T1 delete value = 20         T2 begins again
    T2 write 2 18                waits for T1
    T1 abort
    T2 commit`,

  "G2-item, write skew": `
    T1 read 1
    T1 read 2
    T2 read 1
    T2 read 2
    T1 write 1 11                T2 begins again
    T2 write 2 21                waits for T1
    T1 commit
    T2 commit`,

  "G2, write skew by predicates": `
    T1 select value % 3 = 0
    T2 select value % 3 = 0
    T1 insert 3 30               T2 begins again
    T2 insert 4 42               waits for T1
    T1 commit
    T2 commit`,

  "G2 of two edges, where only a reader sees the cycle": `
    T1 select all
    T2 write 2 25                waits for T1
    T2 commit                    waits for T1
    T3 select all                waits for T2
    T3 commit                    waits for T2
    T1 write 1 0                 T3 begins again
    T1 commit`,
} as const;
