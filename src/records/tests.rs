use super::*;

fn row(values: &[(&'static str, Option<f64>)]) -> EvaluationRow {
    EvaluationRow {
        method: "m".into(),
        fold: 1,
        seed: 2,
        task: TaskKind::FewShot,
        shots: 5,
        episode: 3,
        step: 10,
        loss: 0.1 + 0.2,
        values: Values(values.to_vec()),
    }
}

fn read_text<R: Row>(text: &[u8]) -> Result<Vec<R>> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.csv");
    fs::write(&file, text).expect("written");
    read(&file)
}

#[test]
fn rows_come_back_with_a_column_for_each_measure() {
    let rows =
        [row(&[("mse", Some(0.25)), ("log_loss", None)]), row(&[("mse", None), ("log_loss", Some(1.0))])];
    let text = to_csv(&rows).expect("CSV");
    let expected = "method,fold,seed,task,shots,episode,step,loss,mse,log_loss\n\
                    m,1,2,few_shot,5,3,10,0.30000000000000004,0.25,\nm,1,2,few_shot,5,3,10,0.30000000000000004,,1.0\n";
    assert_eq!(String::from_utf8_lossy(&text), expected);
    assert_eq!(read_text::<EvaluationRow>(&text).expect("sound"), rows);
    assert_eq!(
        [rows[0].value("loss"), rows[0].value("mse"), rows[0].value("auc")],
        [Some(0.1 + 0.2), Some(0.25), None]
    );

    let train = TrainRow {
        method: "m".into(),
        fold: 0,
        seed: 0,
        iteration: 0,
        loss: None,
        learning_rate: None,
        validation_loss: Some(f64::INFINITY),
        validation: Values(vec![("mse", Some(0.5))]),
    };
    let text = to_csv(std::slice::from_ref(&train)).expect("CSV");
    let expected =
        "method,fold,seed,iteration,loss,learning_rate,validation_loss,validation_mse\nm,0,0,0,,,inf,0.5\n";
    assert_eq!(String::from_utf8_lossy(&text), expected);
    assert_eq!(read_text::<TrainRow>(&text).expect("sound"), [train]);
}

#[test]
fn a_cell_that_is_no_number_is_named_with_its_line() {
    let text = "method,fold,seed,task,shots,episode,step,loss,mse,unknown\nm,0,0,few_shot,1,0,0,1.0,0.5,x\n";
    let rows =
        read_text::<EvaluationRow>(text.as_bytes()).expect("columns that are no measures are left alone");
    assert_eq!(rows[0].values, Values(vec![("mse", Some(0.5))]));
    let error = read_text::<EvaluationRow>(text.replace("0.5", "half").as_bytes()).expect_err("damaged");
    let said = format!("{error:#}");
    assert!(said.contains("line: 2") && said.contains("mse: \"half\" is no number"), "{said}");
}
