      *> What a call of zvpos takes and gives: COPY it into
      *> WORKING-STORAGE, fill ZV-FUNCTION and ZV-JSON, then
      *> CALL "ZVCALL" USING ZV-REQUEST ZV-ANSWER.
       01  ZV-REQUEST.
      *>   init coupon_quote consume reverse lookup pending recover
      *>   confirm settle biz_id shutdown, call:ACTION;
      *>   start:FUNCTION does not wait, and poll asks for it by its
      *>   ticket.
           05  ZV-FUNCTION         PIC X(80).
      *>   A JSON object; spaces at the end do not count. All spaces:
      *>   no request (pending and recover: everything).
           05  ZV-JSON             PIC X(16384).
       01  ZV-ANSWER.
      *>   What happened to the member's money. Only
      *>   ZV-SALE-COMPLETE completes a sale.
           05  ZV-OUTCOME          PIC S9(9) COMP-5.
               88  ZV-SALE-COMPLETE     VALUE 0.
               88  ZV-SUCCEEDED         VALUE 0.
               88  ZV-DECLINED          VALUE 1.
               88  ZV-INVALID           VALUE 2.
               88  ZV-NOT-SENT          VALUE 3.
               88  ZV-UNKNOWN           VALUE 4.
               88  ZV-INTERNAL          VALUE 5.
               88  ZV-REVERSED          VALUE 6.
               88  ZV-CONFLICT          VALUE 7.
               88  ZV-RUNNING           VALUE 8.
      *>   The one thing to do.
           05  ZV-NEXT             PIC X(32).
               88  ZV-COMPLETE-SALE     VALUE "complete_sale".
               88  ZV-OTHER-TENDER      VALUE "other_tender".
               88  ZV-FIX-REQUEST       VALUE "fix_request".
               88  ZV-RETRY             VALUE "retry".
               88  ZV-WAIT              VALUE "wait".
               88  ZV-STOP              VALUE "stop".
               88  ZV-LOOK-UP           VALUE "lookup".
               88  ZV-STORE-THEN-CONFIRM
                                        VALUE "store_then_confirm".
               88  ZV-GO-ON             VALUE "go_on".
               88  ZV-POLL              VALUE "poll".
               88  ZV-NEW-BIZID         VALUE "new_bizid".
               88  ZV-REFUNDED          VALUE "refunded".
               88  ZV-REFUND-PENDING    VALUE "refund_pending".
               88  ZV-REFUND-REFUSED    VALUE "refund_refused".
               88  ZV-QUOTE-AGAIN       VALUE "quote_again".
           05  ZV-CODE             PIC X(64).
      *>   For the person at the till.
           05  ZV-CASHIER          PIC X(512).
      *>   For the programmer.
           05  ZV-MESSAGE          PIC X(2048).
      *>   The whole answer, NUL-ended, for ZVFIELD and for a log.
      *>   ZV-LENGTH not less than the size of ZV-TEXT: it did not
      *>   fit; CALL "ZVTAKE" with an area of more than ZV-LENGTH.
           05  ZV-LENGTH           PIC 9(9) COMP-5.
           05  ZV-TEXT             PIC X(65536).
      *>   An answer that did not fit; ZVTAKE gives it back.
           05  ZV-KEPT             POINTER.
