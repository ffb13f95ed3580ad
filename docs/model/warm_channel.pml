/* The warm channel: two sockets between one broker and one backend, over which connections of clients pass.
 *   A  carries 16 bytes (the token) and one descriptor per offer; no runtime ever reads it
 *   B  carries the offer frames (the doorbell, with the residue) one way and batched ACKs the other way
 * Two clients race.  The channel comes up by a cold offer on A, then by a doorbell that names it.
 * Time is not modelled: every timer may fire at any step.  R_* = 1 is a rule obeyed, 0 a rule broken. */
#ifndef EARLY
#define EARLY 1       /* bit i: client i announced early data and sends its request with the Hello */
#endif
#ifndef PAIRING
#define PAIRING 0     /* 1: from the dial of A on; 0: from a channel that stands */
#endif
#ifndef NOTIMER
#define NOTIMER 0     /* 1: the client's ready timer never fires, so that an end must come as EOF */
#endif
#ifndef STALL
#define STALL 0       /* 1: the backend may hang for ever, with everything open */
#endif
#ifndef FAULTS
#define FAULTS 1      /* how many of: broker dies, backend dies, broker ends the channel, backend ends it; at any step */
#endif
#ifndef COLD
#define COLD 0        /* 1: who does not go over the channel may be handed off cold; 0: reconnects */
#endif
#ifndef ACKS
#define ACKS 0        /* 1: with ACKs and the broker's books; 0: without, as nothing else may depend on them */
#endif
#ifndef NOFD
#define NOFD 1        /* 1: the backend may be out of descriptors: the kernel gives the 16 bytes and drops the fd */
#endif
#ifndef KEPTOPEN
#define KEPTOPEN 1    /* 0: the backend does not know keep-open and closes A after its ACK */
#endif
#ifndef REACH
#define REACH 0       /* 1..6: shows that an end can be reached, by failing */
#endif
/* the broker */
#ifndef R_ONESTEP
#define R_ONESTEP 1   /* sendmsg on A and the offer on B are one step of the event loop */
#endif
#ifndef R_AFIRST
#define R_AFIRST 1    /* the descriptor leaves before the offer does */
#endif
#ifndef R_ZERO
#define R_ZERO 1      /* A full or ended: nothing was sent, so no offer on B either */
#endif
#ifndef R_COPY
#define R_COPY 1      /* the broker closes its copy with the offer; 0: with the ACK, the deadline or the end of B */
#endif
#ifndef R_NORETRY
#define R_NORETRY 1   /* an offer that left is never made again; needs R_COPY=0 to be broken */
#endif
#ifndef R_COLDEARLY
#define R_COLDEARLY 1 /* announced early data is never handed off cold, also when none of it was read yet */
#endif
#ifndef R_COLDRES
#define R_COLDRES 1   /* residue is never handed off cold */
#endif
#ifndef R_MATCH
#define R_MATCH 1     /* an ACK belongs to the offer that it names; 0: to the offer that waits first */
#endif
#ifndef R_PAIRACK
#define R_PAIRACK 1   /* the channel is used only after the ACK of the doorbell */
#endif
#ifndef R_BOTHB
#define R_BOTHB 1     /* the end of A or B ends both */
#endif
#ifndef R_NOSHUT
#define R_NOSHUT 1    /* the broker closes its copy and never shuts the connection down */
#endif
/* the backend */
#ifndef R_BOTHK
#define R_BOTHK 1     /* the end of A or B ends both */
#endif
#ifndef R_CHECKTOK
#define R_CHECKTOK 1  /* the 16 bytes are compared with the token of the offer */
#endif
#ifndef R_POISON
#define R_POISON 1    /* other bytes than the token's: close the channel; 0: refuse this one offer, go on */
#endif
#ifndef R_NOFDENDS
#define R_NOFDENDS 1  /* the right 16 bytes without a descriptor: close the channel; 0: refuse this one offer, go on */
#endif
#ifndef R_RECVALL
#define R_RECVALL 1   /* a refused offer takes its descriptor from A too */
#endif
#ifndef R_RECVSYNC
#define R_RECVSYNC 1  /* the recvmsg is made in the step that decodes the frame; 0: each offer in a task of its own */
#endif
#ifndef R_DROPREST
#define R_DROPREST 1  /* offers decoded from the same chunk are forgotten when the channel ends */
#endif
#ifndef R_PAIRTIMER
#define R_PAIRTIMER 1 /* an A that waits for its doorbell is closed by a timer */
#endif
#ifndef R_RDYFIRST
#define R_RDYFIRST 1  /* the request starts only after READY was written */
#endif
#ifndef R_ACKKEEP
#define R_ACKKEEP 1   /* an ACK that cannot leave ends nothing */
#endif
/* the client */
#ifndef R_SHUTDRAIN
#define R_SHUTDRAIN 1 /* on the timer: shut the reading side, drain; READY found = outcome unknown, nothing resent */
#endif
#ifndef CHK_CHANNEL
#define CHK_CHANNEL 1 /* no half of a channel stays open */
#endif
#ifndef CHK_ONCE
#define CHK_ONCE 1    /* a request runs at most once */
#endif

#define NC 2
#define BOOKS (ACKS || !R_COPY)
#define NORMAL (R_ONESTEP && R_AFIRST)
#define DIRECT_READ (R_DROPREST && R_RECVSYNC)
mtype = { READY, ANS, E1, E2 };
mtype:out = { none, adopted, reconnected, refused, broken, unknown };

/* the connections of the clients */
chan c2s[NC] = [2] of { mtype };
chan s2c[NC] = [2] of { mtype };
bit cA[NC] = 1;            /* the client's end is open */
bit shut[NC];              /* somebody shut it down */
bit noWrite[NC];           /* the client shut its reading side down */
bit hB[NC] = 1;            /* the broker's copy */
byte fl[NC];               /* copies in the queue of a control connection */
byte hK[NC];               /* the backend's copies */
bit bReads[NC] = 1;        /* the broker may read it */
bit start[NC]; byte res[NC];
byte adopters[NC]; byte readyTo[NC]; byte nE[NC];
bit consumed[4];           /* by token: 0, 1 the first try; 2, 3 a second one */
mtype:out outcome[NC] = none;

/* the channel: which ends are open, and what is under way */
bit aB = !PAIRING, aK = !PAIRING, bB = !PAIRING, bK = !PAIRING;
chan aq = [3] of { byte, byte };          /* A, in the kernel: client, token */
chan bq = [3] of { byte, byte, byte };    /* B, in the broker: token, residue, client */
chan bk = [3] of { byte, byte, byte };    /* B, in the kernel */
chan uq = [3] of { byte, byte, byte };    /* decoded from one chunk in the backend */
chan uack = [3] of { byte, bit };         /* ACKs that wait for their batch */
chan kack = [3] of { byte, bit };         /* ACKs in the kernel */
chan coldq[NC] = [1] of { byte };         /* cold offers, each on a connection of its own */
chan cack[NC] = [1] of { bit };
bit ackA, bell, ackBell, paired = !PAIRING, usable = !PAIRING;
bit bDead, kDead, stalled, dieB, dieK, closeB, closeK;

#define early(i)    ((EARLY >> i) & 1)
#define eof(i)      ((shut[i] || (!hB[i] && !hK[i] && !fl[i])) && empty(s2c[i]))
#define hup(i)      (!cA[i] || shut[i])
#define canPut(i)   (cA[i] && !shut[i] && !noWrite[i])
inline drop3(q) { do :: q?_,_,_ :: empty(q) -> break od }
inline drop2(q) { do :: q?_,_ :: empty(q) -> break od }
#define reconnect(i) \
  cA[i] = 0; \
  if :: kDead -> outcome[i] = refused \
     :: !kDead -> nE[i]++; assert(!CHK_ONCE || nE[i] == 1); outcome[i] = reconnected fi

proctype Client(byte i) {
  mtype m;
  if
  :: atomic { s2c[i]?m -> assert(m == READY); m = 0;              /* nothing comes before READY */
       if :: !early(i) -> c2s[i]!E1; c2s[i]!E2 :: else fi };
     if :: atomic { s2c[i]?m -> assert(m == ANS); m = 0; cA[i] = 0; outcome[i] = adopted }
        :: atomic { eof(i) -> cA[i] = 0; outcome[i] = broken } fi
  :: atomic { eof(i) -> reconnect(i) }
  :: atomic { (!NOTIMER && cA[i]) ->                              /* one step: nothing arrives after the shutdown */
       if :: (early(i) && R_SHUTDRAIN && s2c[i]?[READY]) -> s2c[i]?m; m = 0; cA[i] = 0; outcome[i] = unknown
          :: (early(i) && R_SHUTDRAIN && !s2c[i]?[READY]) -> noWrite[i] = 1; reconnect(i)
          :: !(early(i) && R_SHUTDRAIN) -> do :: s2c[i]?_ :: empty(s2c[i]) -> break od; reconnect(i) fi }
  fi;
  false
}

#define sendA  aq!i,tok; fl[i]++
#define sendB  bq!tok,n,i
#define letGo  if :: R_COPY -> hB[i] = 0; shut[i] = !R_NOSHUT :: else fi

/* the broker's task for one connection */
proctype Task(byte i) provided (!bDead) {
  byte n = 0, tok = i, t; bit a;
  atomic { do :: (n < 2 && nempty(c2s[i])) -> c2s[i]?_; n++ :: break od;     /* what was read behind the Hello */
    bReads[i] = 0;
    if :: !usable -> goto other
       :: (usable && !(aB && aK)) -> goto other                   /* EPIPE */
       :: (usable && aB && aK && NORMAL) ->
          if :: sendA
             :: true -> if :: R_ZERO -> goto other :: else fi     /* EAGAIN: A is full, nothing left */
          fi;
          sendB; letGo; goto sent
       :: (usable && aB && aK && R_AFIRST && !R_ONESTEP) -> sendA
       :: (usable && aB && aK && !R_AFIRST) -> sendB
    fi };
  atomic { if :: !R_AFIRST -> if :: (aB && aK) -> sendA :: else fi
              :: else -> if :: usable -> sendB :: else fi fi; letGo };
sent:
  if :: atomic { !BOOKS -> n = 0; tok = 0; goto fin } :: BOOKS fi;
  if :: atomic { R_MATCH && kack??[eval(tok),_] -> kack??eval(tok),a; assert(!a || adopters[i] == 1 || kDead); a = 0; goto fin }
     :: atomic { !R_MATCH && nempty(kack) -> kack?t,a; assert(t == tok); t = 0; a = 0; goto fin }
     :: (!bB || !bK)                                              /* "the descriptor may have reached the backend" */
     :: atomic { true -> shut[i] = (shut[i] || !R_NOSHUT) }       /* the 5 s deadline */
  fi;
  atomic { if :: (!R_NORETRY && !R_COPY) -> tok = i + 2; goto cold :: else -> goto fin fi };
other:                                                            /* nothing left for the backend */
  atomic { if :: !COLD -> goto fin
              :: (COLD && n > 0 && R_COLDRES) -> goto fin
              :: (COLD && early(i) && R_COLDEARLY) -> goto fin
              :: else fi };
cold:                                                             /* the reference's handoff, relay mode */
  atomic { n = 0; if :: !kDead -> coldq[i]!tok; fl[i]++ :: else -> goto fin fi };
  atomic {
    if :: cack[i]?a -> if :: (a && canPut(i)) -> s2c[i]!READY; readyTo[i]++ :: else fi
       :: (kDead && empty(cack[i]))
       :: true -> shut[i] = 1                                     /* the deadline revokes; in relay mode only */
    fi };
fin: atomic { hB[i] = 0; n = 0; tok = 0; a = 0 };
  false
}

/* the broker's channel: brings it up, writes what the tasks queued on B, ends it */
proctype Channel() provided (!bDead) {
  byte t, n, o;
  if :: !PAIRING -> goto up :: else fi;
  atomic { if :: !kDead -> aB = 1; aK = 1 :: else -> goto done fi };         /* dial, cold offer */
  if :: ackA :: !aK -> goto close :: goto close fi;               /* or the deadline */
  atomic { if :: !kDead -> bB = 1; bK = 1; bell = 1 :: else -> goto close fi };
  if :: !R_PAIRACK
     :: R_PAIRACK -> if :: ackBell :: !bK -> goto close :: goto close fi
  fi;
  usable = 1;
up:
  do :: atomic { (nempty(bq) && bK) -> bq?t,n,o; bk!t,n,o; t = 0; n = 0; o = 0 }  /* the runtime writes when it can */
     :: (!bK || !aK || closeB) -> break
  od;
close:
  atomic { usable = 0; drop3(bq);
    if :: aB = 0 :: bB = 0; drop2(kack) fi };
  atomic { if :: R_BOTHB -> aB = 0 :: else fi; bB = 0; drop2(kack) };
done: false
}

inline endA() { aK = 0; do :: aq?f,_ -> fl[f]-- :: empty(aq) -> break od; f = 0 }
inline endB() { bK = 0; drop3(bk); drop2(uack) }

/* the backend's side of the channel coming up */
proctype Pair() provided (!kDead) {
  byte f;
  atomic { aK -> if :: KEPTOPEN -> ackA = 1 :: endA(); goto done fi };  /* refused, or a backend of the reference */
  if :: atomic { bell -> paired = 1; ackBell = 1 }
     :: R_PAIRTIMER -> atomic { endA() }; atomic { bell -> endB() }      /* an unknown id by then */
  fi;
done: false
}

#define nack  if :: BOOKS -> uack!t,0 :: else fi
#define ok    if :: BOOKS -> uack!t,1 :: else fi

/* the backend's reader of B */
proctype Door(bit first) provided (!kDead) {
  byte t, n, o, f, ft; bit have;
next:
  atomic {
    t = 0; n = 0; o = 0; f = 0; ft = 0; have = 0;
    if :: (paired && DIRECT_READ && nempty(bk) && bK) -> bk?t,n,o
       :: (paired && !DIRECT_READ && nempty(uq)) -> uq?t,n,o
       :: (paired && first && !DIRECT_READ && empty(uq) && nempty(bk) && bK) ->
          do :: bk?t,n,o -> uq!t,n,o :: empty(bk) -> break od; goto next
       :: (paired && first && bK && empty(uq) && empty(bk) && !bB) -> goto end
       :: (paired && first && bK && closeK) -> goto end
       :: (paired && first && STALL) -> stalled = 1; false
    fi };
  atomic {
    if :: (!DIRECT_READ && !aK && R_DROPREST) -> goto next :: else fi;
    if :: !R_RECVALL -> nack; goto next :: true fi;               /* refused, its descriptor left where it is */
    assert(aK);                                                   /* never a recvmsg on a closed number */
    assert(nempty(aq));                                           /* an offer is never ahead of its descriptor */
    aq?f,ft; fl[f]--;
    if :: hK[f]++; have = 1
       :: NOFD                                                    /* the kernel dropped it */
    fi;
    if :: (R_CHECKTOK && ft != t) -> hK[f] = hK[f] - have;
          if :: R_POISON -> goto end :: else -> nack; goto next fi
       :: (!(R_CHECKTOK && ft != t) && !have) ->
          if :: R_NOFDENDS -> goto end :: else -> nack; goto next fi
       :: else
    fi };
  atomic {
    if :: hK[f]--; nack; goto next                                /* draining, at capacity, expired */
       :: true
    fi;
    assert(!consumed[t]); consumed[t] = 1;                        /* I2 */
    assert(f == o);                                               /* the offer of this very connection */
    if :: canPut(f) -> s2c[f]!READY; readyTo[f]++; adopters[f]++
       :: (!canPut(f) && R_RDYFIRST) -> hK[f]--; nack; goto next  /* hung up, before the test or after it */
       :: (!canPut(f) && !R_RDYFIRST) -> adopters[f]++
    fi;
    assert(adopters[f] == 1) };
  atomic {
    if :: (bK && bB) -> ok
       :: (!(bK && bB) && R_ACKKEEP)
       :: (!(bK && bB) && !R_ACKKEEP) -> hK[f]--; goto next
    fi;
    res[f] = n; start[f] = 1; goto next };
end:
  atomic { if :: R_BOTHK -> endA() :: endB() fi };
  atomic { if :: (R_BOTHK && aK) -> endA() :: else fi; if :: bK -> endB() :: else fi; if :: R_DROPREST -> drop3(uq) :: else fi };
  if :: !R_DROPREST -> goto next :: else fi;
  false
}

proctype Acks() provided (!kDead) {                               /* a batch leaves at any time */
  byte t; bit a;
  do :: atomic { (nempty(uack) && bK && bB) -> do :: uack?t,a -> kack!t,a :: empty(uack) -> break od; t = 0; a = 0 } od
}

proctype Cold(byte i) provided (!kDead) {                         /* the reference's handoff, as the backend sees it */
  byte t;
  atomic { coldq[i]?t -> fl[i]--; hK[i]++ };
  atomic {
    if :: hK[i]--; cack[i]!0; goto done
       :: !hup(i)
    fi;
    assert(!consumed[t]); consumed[t] = 1; adopters[i]++; assert(adopters[i] == 1) };
  atomic { if :: bDead -> hK[i]-- :: !bDead -> cack[i]!1; start[i] = 1 fi };
done: false
}

proctype Session(byte i) provided (!kDead) {
  byte n; mtype m;
  atomic { start[i] -> n = res[i]; res[i] = 0 };
  if :: atomic { (n + len(c2s[i]) == 2) ->                        /* the whole request is there */
           do :: c2s[i]?m -> assert(!bReads[i]); n++; assert(m == (n == 1 -> E1 : E2)) :: empty(c2s[i]) -> break od;
           m = 0; n = 0; nE[i]++; assert(!CHK_ONCE || nE[i] == 1); if :: canPut(i) -> s2c[i]!ANS :: else fi };
        hup(i)
     :: atomic { (n + len(c2s[i]) != 2 && nempty(c2s[i])) -> c2s[i]?m; assert(m == (n == 0 -> E1 : E2)); goto end }
     :: (n + len(c2s[i]) < 2 && hup(i))
  fi;
end: atomic { hK[i]--; n = 0; m = 0 };
  false
}

init {
  byte i;
  atomic {
    for (i : 0 .. NC - 1) { if :: early(i) -> c2s[i]!E1; c2s[i]!E2 :: else fi; run Client(i); run Task(i); run Session(i);
      if :: COLD || !R_NORETRY -> run Cold(i) :: else fi };
    run Channel(); run Door(1);
    if :: PAIRING -> run Pair() :: else fi;
    if :: BOOKS -> run Acks() :: else fi;
    if :: !R_RECVSYNC -> run Door(0) :: else fi;
    i = 0;
    do :: i < FAULTS -> i++; if :: dieB = 1 :: dieK = 1 :: closeB = 1 :: closeK = 1 fi :: break od;
    i = 0 };
  do :: atomic { dieB -> dieB = 0; closeB = 0; bDead = 1; hB[0] = 0; hB[1] = 0; bReads[0] = 0; bReads[1] = 0; aB = 0; bB = 0;
           usable = 0; drop3(bq); drop2(kack) }
     :: atomic { dieK -> dieK = 0; closeK = 0; if :: stalled -> skip :: else -> kDead = 1; hK[0] = 0; hK[1] = 0; fl[0] = 0; fl[1] = 0;
           aK = 0; bK = 0; drop2(aq); drop3(bk); drop3(uq); drop2(uack);
           do :: coldq[0]?_ :: coldq[1]?_ :: (empty(coldq[0]) && empty(coldq[1])) -> break od fi }
     :: timeout -> break
  od;
#if REACH == 1
  assert(!(outcome[0] == adopted && outcome[1] == adopted))        /* both over the channel */
#elif REACH == 2
  assert(outcome[0] != unknown)
#elif REACH == 3
  assert(outcome[0] == adopted || outcome[1] != adopted)
#elif REACH == 4
  assert(!(outcome[0] == refused && outcome[1] == broken))
#elif REACH == 6
  assert(outcome[0] != adopted && outcome[1] != adopted)
#elif REACH == 5
  assert(!(PAIRING && !paired && outcome[1] == adopted))                     /* cold: there never was a channel */
#endif
  for (i : 0 .. NC - 1) {
    assert(outcome[i] != none);                                              /* I4 */
    assert(outcome[i] != broken || kDead);                                   /* a live pair is never cut */
    assert(outcome[i] != adopted || nE[i] >= 1);
    assert(readyTo[i] <= adopters[i]);                                       /* no READY without an adopter */
    assert(!cA[i] && !hB[i] && (stalled || (!hK[i] && !fl[i])))              /* I5 */
  }
  assert(!CHK_CHANNEL || stalled || (aB == aK && bB == bK && aB == bB))      /* I5: no half of a channel stays */
}
