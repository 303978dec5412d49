      *> An answer that is longer than ZV-TEXT: it is kept, its fields
      *> are there, and ZVTAKE fetches it, also after a first area that
      *> was too small. Prints "ok", or what is wrong.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. KEPT.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       COPY "zvpos.cpy".
       01  WS-SMALL                PIC X(70000).
       01  WS-LARGE                PIC X(1048576).
       01  WS-NEEDED               PIC 9(9) COMP-5.
       01  WS-NUMBER               PIC 9(4).
       01  WS-END                  PIC 9(9) COMP-5 VALUE 2.
       01  WS-VALUE                PIC X(64).
       01  WS-LENGTH               PIC 9(9) COMP-5.
       PROCEDURE DIVISION.
      *>   Each unknown field is an error of its own.
           MOVE "init" TO ZV-FUNCTION
           MOVE "{" TO ZV-JSON
           PERFORM VARYING WS-NUMBER FROM 1 BY 1 UNTIL WS-NUMBER > 1400
               STRING '"x' WS-NUMBER '":1,' DELIMITED BY SIZE
                   INTO ZV-JSON WITH POINTER WS-END
           END-PERFORM
           STRING '"x":1}' DELIMITED BY SIZE
               INTO ZV-JSON WITH POINTER WS-END
           CALL "ZVCALL" USING ZV-REQUEST ZV-ANSWER
           IF NOT ZV-INVALID OR ZV-CODE NOT = "ZV-CONFIG"
                   OR NOT ZV-FIX-REQUEST
               DISPLAY "not the answer: " ZV-OUTCOME " " ZV-CODE
           END-IF
           IF ZV-LENGTH NOT > LENGTH OF WS-SMALL OR ZV-KEPT = NULL
               DISPLAY "not too long: " ZV-LENGTH
           END-IF
           MOVE ZV-LENGTH TO WS-NEEDED
           CALL "ZVTAKE" USING ZV-ANSWER WS-SMALL
           IF ZV-LENGTH NOT = WS-NEEDED OR ZV-KEPT = NULL
               DISPLAY "lost in a small area: " ZV-LENGTH
           END-IF
           CALL "ZVTAKE" USING ZV-ANSWER WS-LARGE
           IF ZV-LENGTH NOT = WS-NEEDED - 1 OR ZV-KEPT NOT = NULL
               DISPLAY "not fetched: " ZV-LENGTH
           END-IF
           CALL "ZVFIELD" USING WS-LARGE "errors.1400.path"
               WS-VALUE WS-LENGTH
           IF WS-VALUE NOT = "x" OR WS-LENGTH NOT = 1
               DISPLAY "not whole: " WS-VALUE
           END-IF
           DISPLAY "ok"
           STOP RUN.
