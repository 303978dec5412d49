      *> Runs the table of cases (tests/cases) through zvcall.cob
      *> against a running simulator:
      *>
      *>     cases GATEWAY ADMIN FOLDER FILE...
      *>
      *> FOLDER: a new one, for the journals. Prints "ok NAME" or
      *> "FAILED NAME: why" for each case; ends with 1 if any failed.
      *> The files are read by ZVFIELD, the admin port through curl.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. CASES.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT TABLE-FILE ASSIGN TO WS-PATH
               ORGANIZATION LINE SEQUENTIAL FILE STATUS WS-STATUS.
       DATA DIVISION.
       FILE SECTION.
       FD  TABLE-FILE.
       01  TABLE-LINE              PIC X(4096).
       WORKING-STORAGE SECTION.
       COPY "zvpos.cpy".
      *> Looks 20 ms apart, for what settles by itself: some 30
      *> seconds with the time that each takes.
       78  MOST-LOOKS              VALUE 1000.
       78  PAUSE-NS                VALUE 20000000.
       78  MOST-ITEMS              VALUE 10000.
       01  WS-GATEWAY              PIC X(256).
       01  WS-ADMIN                PIC X(256).
       01  WS-FOLDER               PIC X(512).
       01  WS-PATH                 PIC X(1024).
       01  WS-STATUS               PIC XX.
       01  WS-TABLE                PIC X(262144).
       01  WS-CONFIG               PIC X(16384).
       01  WS-IDENTITY             PIC X(64).
       01  WS-END                  PIC 9(9) COMP-5.
      *> Where the value that is read stands: of the file, the case,
      *> the call or entry; the number as text.
       01  WS-CASE                 PIC X(64).
       01  WS-LIST                 PIC X(5).
       01  WS-ITEM                 PIC X(96).
       01  WS-WHERE                PIC X(128).
       01  WS-NUMBER               PIC Z(4)9.
       01  WS-CASE-NUMBER          PIC 9(5) COMP-5.
       01  WS-ITEM-NUMBER          PIC 9(5) COMP-5.
       01  WS-FIELD-NUMBER         PIC 9(5) COMP-5.
       01  WS-NAME                 PIC X(128).
       01  WS-CALL                 PIC X(80).
       01  WS-EXPECTED             PIC X(4096).
       01  WS-EXPECTED-LENGTH      PIC 9(9) COMP-5.
       01  WS-FOUND                PIC X(4096).
       01  WS-FOUND-LENGTH         PIC 9(9) COMP-5.
       01  WS-LENGTH               PIC 9(9) COMP-5.
       01  WS-TICKET               PIC X(64).
       01  WS-METHOD               PIC X(8).
       01  WS-TARGET               PIC X(256).
       01  WS-BODY                 PIC X(4096).
       01  WS-COMMAND              PIC X(8192).
       01  WS-REPLY                PIC X(65536).
       01  WS-COMPLAINT            PIC X(2048).
       01  WS-WAIT                 PIC X(8).
       01  WS-LOOKS                PIC 9(9) COMP-5.
       01  WS-FAILED               PIC 9 VALUE 0.
      *> The number of ZV-OUTCOME and one: its word.
       01  WS-WORDS.
           05  PIC X(10) VALUE "succeeded".
           05  PIC X(10) VALUE "declined".
           05  PIC X(10) VALUE "invalid".
           05  PIC X(10) VALUE "not_sent".
           05  PIC X(10) VALUE "unknown".
           05  PIC X(10) VALUE "internal".
           05  PIC X(10) VALUE "reversed".
           05  PIC X(10) VALUE "conflict".
           05  PIC X(10) VALUE "running".
       01  WS-WORD-TABLE REDEFINES WS-WORDS.
           05  WS-WORD             PIC X(10) OCCURS 9.
       PROCEDURE DIVISION.
       MAIN-PART.
           ACCEPT WS-GATEWAY FROM ARGUMENT-VALUE
           ACCEPT WS-ADMIN FROM ARGUMENT-VALUE
           ACCEPT WS-FOLDER FROM ARGUMENT-VALUE
           PERFORM UNTIL EXIT
               MOVE SPACES TO WS-PATH
               ACCEPT WS-PATH FROM ARGUMENT-VALUE
                   ON EXCEPTION EXIT PERFORM
               END-ACCEPT
               PERFORM READ-TABLE
               PERFORM ALL-CASES
           END-PERFORM
           MOVE WS-FAILED TO RETURN-CODE
           STOP RUN.

      *> The whole file as one NUL-ended text.
       READ-TABLE.
           MOVE LOW-VALUES TO WS-TABLE
           MOVE 1 TO WS-END
           OPEN INPUT TABLE-FILE
           PERFORM UNTIL WS-STATUS NOT = "00"
               READ TABLE-FILE
                   NOT AT END
                       STRING FUNCTION TRIM(TABLE-LINE TRAILING) X"0A"
                           DELIMITED BY SIZE INTO WS-TABLE
                           WITH POINTER WS-END
               END-READ
           END-PERFORM
           CLOSE TABLE-FILE.

       ALL-CASES.
           PERFORM VARYING WS-CASE-NUMBER FROM 0 BY 1
                   UNTIL WS-CASE-NUMBER = MOST-ITEMS
               MOVE WS-CASE-NUMBER TO WS-NUMBER
               MOVE SPACES TO WS-CASE WS-WHERE
               STRING "cases." FUNCTION TRIM(WS-NUMBER)
                   DELIMITED BY SIZE INTO WS-CASE
               STRING FUNCTION TRIM(WS-CASE) ".name"
                   DELIMITED BY SIZE INTO WS-WHERE
               CALL "ZVFIELD" USING WS-TABLE WS-WHERE WS-NAME WS-LENGTH
               IF WS-LENGTH = 0
                   EXIT PERFORM
               END-IF
               PERFORM ONE-CASE
           END-PERFORM.

       ONE-CASE.
           MOVE SPACES TO WS-COMPLAINT
           PERFORM BEGIN-CASE
           IF WS-COMPLAINT = SPACES
               PERFORM ALL-ORDERS
           END-IF
           IF WS-COMPLAINT = SPACES
               PERFORM ALL-CALLS
           END-IF
           IF WS-COMPLAINT = SPACES
               PERFORM ALL-NETS
           END-IF
           MOVE "shutdown" TO ZV-FUNCTION
           MOVE SPACES TO ZV-JSON
           CALL "ZVCALL" USING ZV-REQUEST ZV-ANSWER
           IF WS-COMPLAINT = SPACES
               DISPLAY "ok " FUNCTION TRIM(WS-NAME)
           ELSE
               MOVE 1 TO WS-FAILED
               DISPLAY "FAILED " FUNCTION TRIM(WS-NAME) ": "
                   FUNCTION TRIM(WS-COMPLAINT)
           END-IF.

       BEGIN-CASE.
           MOVE "POST" TO WS-METHOD
           MOVE "/reset" TO WS-TARGET
           MOVE SPACES TO WS-BODY
           PERFORM ASK-ADMIN
           CALL "ZVFIELD" USING WS-TABLE "config" WS-CONFIG WS-LENGTH
           MOVE SPACES TO WS-WHERE
           MOVE FUNCTION SUBSTITUTE(WS-CONFIG,
               "$GATEWAY", FUNCTION TRIM(WS-GATEWAY),
               "$JOURNAL", FUNCTION CONCATENATE(
                   FUNCTION TRIM(WS-FOLDER), "/",
                   FUNCTION TRIM(WS-NAME), ".db")) TO WS-CONFIG
           MOVE "init" TO ZV-FUNCTION
           MOVE WS-CONFIG TO ZV-JSON
           CALL "ZVCALL" USING ZV-REQUEST ZV-ANSWER
           IF NOT ZV-SUCCEEDED
               STRING "init: " ZV-TEXT DELIMITED BY LOW-VALUE
                   INTO WS-COMPLAINT
           END-IF
           CALL "ZVFIELD" USING ZV-TEXT "data.journal_id" WS-IDENTITY
               WS-LENGTH.

       ALL-ORDERS.
           PERFORM VARYING WS-ITEM-NUMBER FROM 0 BY 1
                   UNTIL WS-COMPLAINT NOT = SPACES
               MOVE "admin" TO WS-LIST
               PERFORM NAME-ITEM
               MOVE ".0" TO WS-PATH
               PERFORM READ-ITEM
               IF WS-LENGTH = 0
                   EXIT PERFORM
               END-IF
               MOVE WS-EXPECTED TO WS-METHOD
               MOVE ".1" TO WS-PATH
               PERFORM READ-ITEM
               MOVE WS-EXPECTED TO WS-TARGET
               MOVE ".2" TO WS-PATH
               PERFORM READ-ITEM
               MOVE WS-EXPECTED TO WS-BODY
               PERFORM ASK-ADMIN
           END-PERFORM.

      *> The path of that number in the case's list, to WS-ITEM.
       NAME-ITEM.
           MOVE WS-ITEM-NUMBER TO WS-NUMBER
           MOVE SPACES TO WS-ITEM
           STRING FUNCTION TRIM(WS-CASE) "." FUNCTION TRIM(WS-LIST) "."
               FUNCTION TRIM(WS-NUMBER) DELIMITED BY SIZE INTO WS-ITEM.

      *> The value behind WS-ITEM and WS-PATH, to WS-EXPECTED.
       READ-ITEM.
           MOVE SPACES TO WS-WHERE
           STRING FUNCTION TRIM(WS-ITEM) FUNCTION TRIM(WS-PATH)
               DELIMITED BY SIZE INTO WS-WHERE
           CALL "ZVFIELD" USING WS-TABLE WS-WHERE WS-EXPECTED WS-LENGTH
           IF WS-LENGTH > LENGTH OF WS-EXPECTED
               STRING "too long for the runner: " WS-WHERE
                   DELIMITED BY SIZE INTO WS-COMPLAINT
           END-IF
           MOVE WS-LENGTH TO WS-EXPECTED-LENGTH.

       ALL-CALLS.
           PERFORM VARYING WS-ITEM-NUMBER FROM 0 BY 1
                   UNTIL WS-COMPLAINT NOT = SPACES
               MOVE "calls" TO WS-LIST
               PERFORM NAME-ITEM
               MOVE ".call" TO WS-PATH
               PERFORM READ-ITEM
               IF WS-LENGTH = 0
                   EXIT PERFORM
               END-IF
               MOVE WS-EXPECTED TO WS-CALL
               PERFORM EXPECT-CALL
           END-PERFORM.

      *> Once, or with `wait` until it is as expected.
       EXPECT-CALL.
           MOVE ".wait" TO WS-PATH
           PERFORM READ-ITEM
           MOVE WS-EXPECTED TO WS-WAIT
           PERFORM VARYING WS-LOOKS FROM 1 BY 1
                   UNTIL WS-LOOKS > MOST-LOOKS
               MOVE SPACES TO WS-COMPLAINT
               PERFORM MAKE-CALL
               PERFORM COMPARE-ANSWER
               IF WS-COMPLAINT = SPACES OR WS-WAIT NOT = "true"
                   EXIT PERFORM
               END-IF
               PERFORM PAUSE
           END-PERFORM.

       MAKE-CALL.
           MOVE ".request" TO WS-PATH
           PERFORM READ-ITEM
           MOVE FUNCTION SUBSTITUTE(WS-EXPECTED, "$JOURNAL_ID",
               FUNCTION TRIM(WS-IDENTITY)) TO ZV-JSON
           IF WS-CALL = "init" AND WS-EXPECTED-LENGTH = 0
               MOVE WS-CONFIG TO ZV-JSON
           END-IF
           MOVE WS-CALL TO ZV-FUNCTION
           CALL "ZVCALL" USING ZV-REQUEST ZV-ANSWER
           IF WS-CALL(1:6) = "start:" AND ZV-RUNNING
               CALL "ZVFIELD" USING ZV-TEXT "data.ticket"
                   WS-TICKET WS-LENGTH
               MOVE "poll" TO ZV-FUNCTION
               MOVE WS-TICKET TO ZV-JSON
               PERFORM UNTIL NOT ZV-RUNNING
                   PERFORM PAUSE
                   CALL "ZVCALL" USING ZV-REQUEST ZV-ANSWER
               END-PERFORM
           END-IF.

       COMPARE-ANSWER.
           MOVE ".outcome" TO WS-PATH
           PERFORM READ-ITEM
           IF ZV-OUTCOME < 0 OR WS-EXPECTED NOT =
                   WS-WORD(ZV-OUTCOME + 1)
               STRING FUNCTION TRIM(WS-ITEM) " " FUNCTION TRIM(WS-CALL)
                   ": expected " FUNCTION TRIM(WS-EXPECTED)
                   ", found " ZV-TEXT(1:1200) DELIMITED BY SIZE
                   INTO WS-COMPLAINT
           END-IF
           PERFORM VARYING WS-FIELD-NUMBER FROM 0 BY 1
                   UNTIL WS-COMPLAINT NOT = SPACES
               MOVE WS-FIELD-NUMBER TO WS-NUMBER
               MOVE SPACES TO WS-PATH
               STRING ".fields." FUNCTION TRIM(WS-NUMBER) ".0"
                   DELIMITED BY SIZE INTO WS-PATH
               PERFORM READ-ITEM
               IF WS-LENGTH = 0
                   EXIT PERFORM
               END-IF
               PERFORM COMPARE-FIELD
           END-PERFORM.

       COMPARE-FIELD.
           MOVE WS-EXPECTED TO WS-TARGET
           CALL "ZVFIELD" USING ZV-TEXT WS-TARGET WS-FOUND
               WS-FOUND-LENGTH
           MOVE SPACES TO WS-PATH
           STRING ".fields." FUNCTION TRIM(WS-NUMBER) ".1"
               DELIMITED BY SIZE INTO WS-PATH
           PERFORM READ-ITEM
           IF WS-FOUND NOT = WS-EXPECTED
                   OR WS-FOUND-LENGTH NOT = WS-EXPECTED-LENGTH
               STRING FUNCTION TRIM(WS-ITEM) " " FUNCTION TRIM(WS-CALL)
                   " " FUNCTION TRIM(WS-TARGET) ": expected "
                   FUNCTION TRIM(WS-EXPECTED) ", found "
                   FUNCTION TRIM(WS-FOUND) DELIMITED BY SIZE
                   INTO WS-COMPLAINT
           END-IF.

       ALL-NETS.
           PERFORM VARYING WS-ITEM-NUMBER FROM 0 BY 1
                   UNTIL WS-COMPLAINT NOT = SPACES
               MOVE "net" TO WS-LIST
               PERFORM NAME-ITEM
               MOVE SPACES TO WS-TARGET
               MOVE ".0" TO WS-PATH
               PERFORM READ-ITEM
               IF WS-LENGTH = 0
                   EXIT PERFORM
               END-IF
               STRING "/ledger?bizId=" FUNCTION TRIM(WS-EXPECTED)
                   DELIMITED BY SIZE INTO WS-TARGET
               MOVE ".1" TO WS-PATH
               PERFORM READ-ITEM
               PERFORM EXPECT-NET
           END-PERFORM.

      *> A reversal may be on its way.
       EXPECT-NET.
           MOVE "GET" TO WS-METHOD
           MOVE SPACES TO WS-BODY
           PERFORM VARYING WS-LOOKS FROM 1 BY 1
                   UNTIL WS-LOOKS > MOST-LOOKS
               MOVE SPACES TO WS-COMPLAINT
               PERFORM ASK-ADMIN
               CALL "ZVFIELD" USING WS-REPLY "net" WS-FOUND WS-LENGTH
               IF WS-FOUND = WS-EXPECTED
                   EXIT PERFORM
               END-IF
               PERFORM PAUSE
           END-PERFORM
           IF WS-FOUND NOT = WS-EXPECTED
               STRING FUNCTION TRIM(WS-TARGET) ": expected net "
                   FUNCTION TRIM(WS-EXPECTED) ", found "
                   FUNCTION TRIM(WS-FOUND) DELIMITED BY SIZE
                   INTO WS-COMPLAINT
           END-IF.

      *> A request to the admin port; its answer to WS-REPLY.
       ASK-ADMIN.
           MOVE SPACES TO WS-COMMAND
           STRING "curl -sS --fail-with-body -o '"
               FUNCTION TRIM(WS-FOLDER) "/admin.json' -X "
               FUNCTION TRIM(WS-METHOD) " --data-binary '"
               FUNCTION TRIM(WS-BODY) "' '" FUNCTION TRIM(WS-ADMIN)
               FUNCTION TRIM(WS-TARGET) "'"
               DELIMITED BY SIZE INTO WS-COMMAND
           CALL "SYSTEM" USING WS-COMMAND
           IF RETURN-CODE NOT = 0
               STRING "failed: " FUNCTION TRIM(WS-COMMAND)
                   DELIMITED BY SIZE INTO WS-COMPLAINT
           END-IF
           MOVE 0 TO RETURN-CODE
           STRING FUNCTION TRIM(WS-FOLDER) "/admin.json" X"00"
               DELIMITED BY SIZE INTO WS-PATH
           MOVE LOW-VALUES TO WS-REPLY
           MOVE 1 TO WS-END
           OPEN INPUT TABLE-FILE
           READ TABLE-FILE
               NOT AT END
                   STRING FUNCTION TRIM(TABLE-LINE TRAILING)
                       DELIMITED BY SIZE INTO WS-REPLY
           END-READ
           CLOSE TABLE-FILE.

       PAUSE.
           CALL "CBL_GC_NANOSLEEP" USING BY CONTENT PAUSE-NS.
       END PROGRAM CASES.
