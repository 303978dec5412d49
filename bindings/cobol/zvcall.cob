      *> zvpos for GnuCOBOL: ZVCALL makes a call, ZVFIELD reads one
      *> value of an answer, ZVTAKE fetches an answer that was too long
      *> for ZV-TEXT. The areas are those of zvpos.cpy.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ZVCALL.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-ANSWER               POINTER.
       01  WS-NULL                 POINTER VALUE NULL.
       01  WS-JSON                 PIC X(16385).
       01  WS-OPERATION            PIC X(81).
       01  WS-GIVEN                PIC 9 COMP-5.
       01  WS-CAPACITY             USAGE BINARY-DOUBLE UNSIGNED.
       LINKAGE SECTION.
       COPY "zvpos.cpy".
       PROCEDURE DIVISION USING ZV-REQUEST ZV-ANSWER.
       MAIN-PART.
           PERFORM END-TEXTS
           PERFORM MAKE-CALL
           PERFORM READ-ANSWER
           PERFORM TAKE-ANSWER
           GOBACK.

      *> The library reads texts up to a NUL.
       END-TEXTS.
           IF ZV-JSON = SPACES
               MOVE 0 TO WS-GIVEN
               MOVE LOW-VALUES TO WS-JSON
           ELSE
               MOVE 1 TO WS-GIVEN
               STRING FUNCTION TRIM(ZV-JSON TRAILING) X"00"
                   DELIMITED BY SIZE INTO WS-JSON
           END-IF
           MOVE LOW-VALUES TO WS-OPERATION.

       MAKE-CALL.
           IF ZV-FUNCTION(1:5) = "call:"
               STRING FUNCTION TRIM(ZV-FUNCTION(6:)) X"00"
                   DELIMITED BY SIZE INTO WS-OPERATION
               CALL STATIC "zv_call_json" USING
                   BY REFERENCE WS-OPERATION BY REFERENCE WS-JSON
                   RETURNING WS-ANSWER
           ELSE IF ZV-FUNCTION(1:6) = "start:"
               PERFORM START-CALL
           ELSE
               PERFORM PLAIN-CALL
           END-IF END-IF.

       START-CALL.
           STRING FUNCTION TRIM(ZV-FUNCTION(7:)) X"00"
               DELIMITED BY SIZE INTO WS-OPERATION
           IF WS-GIVEN = 0
               MOVE Z"{}" TO WS-JSON
           END-IF
           CALL STATIC "zv_start_json" USING
               BY REFERENCE WS-OPERATION BY REFERENCE WS-JSON
               RETURNING WS-ANSWER.

       PLAIN-CALL.
           EVALUATE ZV-FUNCTION
           WHEN "init"
               CALL STATIC "zv_init" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "coupon_quote"
               CALL STATIC "zv_coupon_quote_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "consume"
               CALL STATIC "zv_consume_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "reverse"
               CALL STATIC "zv_reverse_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "lookup"
               CALL STATIC "zv_lookup_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "confirm"
               CALL STATIC "zv_confirm_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "settle"
               CALL STATIC "zv_settle_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "poll"
               CALL STATIC "zv_poll_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "biz_id"
               CALL STATIC "zv_biz_id" RETURNING WS-ANSWER
           WHEN "shutdown"
               CALL STATIC "zv_shutdown" RETURNING WS-ANSWER
           WHEN OTHER
               PERFORM OPTIONAL-CALL
           END-EVALUATE.

      *> What takes NULL; and a name that the library refuses in words.
       OPTIONAL-CALL.
           EVALUATE ZV-FUNCTION ALSO WS-GIVEN
           WHEN "pending" ALSO 0
               CALL STATIC "zv_pending_json" USING
                   BY VALUE WS-NULL RETURNING WS-ANSWER
           WHEN "pending" ALSO 1
               CALL STATIC "zv_pending_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN "recover" ALSO 0
               CALL STATIC "zv_recover_json" USING
                   BY VALUE WS-NULL RETURNING WS-ANSWER
           WHEN "recover" ALSO 1
               CALL STATIC "zv_recover_json" USING
                   BY REFERENCE WS-JSON RETURNING WS-ANSWER
           WHEN OTHER
               STRING FUNCTION TRIM(ZV-FUNCTION) X"00"
                   DELIMITED BY SIZE INTO WS-OPERATION
               CALL STATIC "zv_start_json" USING
                   BY REFERENCE WS-OPERATION BY REFERENCE WS-JSON
                   RETURNING WS-ANSWER
           END-EVALUATE.

      *> Read before the answer is given back, so that they are there
      *> also when it does not fit.
       READ-ANSWER.
           CALL STATIC "zv_outcome" USING BY VALUE WS-ANSWER
               RETURNING ZV-OUTCOME
           CALL "ZVVALUE" USING WS-ANSWER "next" ZV-NEXT
           CALL "ZVVALUE" USING WS-ANSWER "code" ZV-CODE
           CALL "ZVVALUE" USING WS-ANSWER "cashier" ZV-CASHIER
           CALL "ZVVALUE" USING WS-ANSWER "message" ZV-MESSAGE.

       TAKE-ANSWER.
           SET ZV-KEPT TO NULL
           MOVE LENGTH OF ZV-TEXT TO WS-CAPACITY
           MOVE LOW-VALUES TO ZV-TEXT
           CALL STATIC "zv_take" USING BY VALUE WS-ANSWER
               BY REFERENCE ZV-TEXT BY VALUE WS-CAPACITY
               RETURNING ZV-LENGTH
           IF ZV-LENGTH NOT < LENGTH OF ZV-TEXT
               SET ZV-KEPT TO WS-ANSWER
           END-IF.
       END PROGRAM ZVCALL.

      *> CALL "ZVFIELD" USING ZV-TEXT path value length: one value as
      *> text, such as "data.coupon_discount", filled up with spaces.
      *> Length 0: no such value; more than the area: it did not fit
      *> and the area is spaces. Reads any NUL-ended JSON object.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ZVFIELD.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-TEXT                 POINTER.
       LINKAGE SECTION.
       01  LK-TEXT                 PIC X.
       01  LK-PATH                 PIC X ANY LENGTH.
       01  LK-VALUE                PIC X ANY LENGTH.
       01  LK-LENGTH               PIC 9(9) COMP-5.
       PROCEDURE DIVISION USING LK-TEXT LK-PATH LK-VALUE LK-LENGTH.
           SET WS-TEXT TO ADDRESS OF LK-TEXT
           CALL "ZVVALUE" USING WS-TEXT LK-PATH LK-VALUE
           MOVE RETURN-CODE TO LK-LENGTH
           MOVE 0 TO RETURN-CODE
           GOBACK.
       END PROGRAM ZVFIELD.

      *> The same from a pointer; the length is the RETURN-CODE.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ZVVALUE.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-PATH                 PIC X(257).
       01  WS-VALUE                PIC X(65536).
       01  WS-CAPACITY             USAGE BINARY-DOUBLE UNSIGNED.
       01  WS-LENGTH               PIC 9(9) COMP-5.
       LINKAGE SECTION.
       01  LK-POINTER              POINTER.
       01  LK-PATH                 PIC X ANY LENGTH.
       01  LK-VALUE                PIC X ANY LENGTH.
       PROCEDURE DIVISION USING LK-POINTER LK-PATH LK-VALUE.
           MOVE LOW-VALUES TO WS-PATH
           STRING FUNCTION TRIM(LK-PATH) X"00"
               DELIMITED BY SIZE INTO WS-PATH
           MOVE LENGTH OF WS-VALUE TO WS-CAPACITY
           CALL STATIC "zv_field" USING BY VALUE LK-POINTER
               BY REFERENCE WS-PATH BY REFERENCE WS-VALUE
               BY VALUE WS-CAPACITY RETURNING WS-LENGTH
           MOVE SPACES TO LK-VALUE
           IF WS-LENGTH > 0 AND WS-LENGTH NOT > LENGTH OF LK-VALUE
                   AND WS-LENGTH < LENGTH OF WS-VALUE
               MOVE WS-VALUE(1:WS-LENGTH) TO LK-VALUE
           END-IF
           MOVE WS-LENGTH TO RETURN-CODE
           GOBACK.
       END PROGRAM ZVVALUE.

      *> CALL "ZVTAKE" USING ZV-ANSWER area: fetches the answer that
      *> ZV-TEXT was too small for. ZV-KEPT is NULL afterwards, or the
      *> area was too small as well.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ZVTAKE.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  WS-CAPACITY             USAGE BINARY-DOUBLE UNSIGNED.
       LINKAGE SECTION.
       COPY "zvpos.cpy".
       01  LK-AREA                 PIC X ANY LENGTH.
       PROCEDURE DIVISION USING ZV-ANSWER LK-AREA.
           MOVE LENGTH OF LK-AREA TO WS-CAPACITY
           CALL STATIC "zv_take" USING BY VALUE ZV-KEPT
               BY REFERENCE LK-AREA BY VALUE WS-CAPACITY
               RETURNING ZV-LENGTH
           IF ZV-LENGTH < WS-CAPACITY
               SET ZV-KEPT TO NULL
           END-IF
           GOBACK.
       END PROGRAM ZVTAKE.
